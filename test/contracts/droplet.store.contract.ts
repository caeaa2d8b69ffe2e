import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DropletStore, OwnDroplet } from '../../src/registry/droplet.store.js';

/** An empty store, and how to leave it. */
export interface DropletStoreUnderTest {
  readonly store: DropletStore;
  readonly close: () => void | Promise<void>;
}

const droplet = (id: number, name: string, change: Partial<OwnDroplet> = {}): OwnDroplet => ({
  ...{ id, name, endpoint: `http://${id}.test`, version: null, metadata: null, steward: null, status: 'active' },
  ...{ proof: null, cost_usd: 0, yield_usd: 0, registered_at: null, updated_at: null, heartbeat: null },
  ...change,
});

/** What every DropletStore must do. */
export function dropletStoreContract(name: string, open: () => DropletStoreUnderTest | Promise<DropletStoreUnderTest>): void {
  describe(`DropletStore: ${name}`, () => {
    let subject: DropletStoreUnderTest;
    let store: DropletStore;

    beforeEach(async () => {
      subject = await open();
      store = subject.store;
    });

    afterEach(async () => {
      await subject.close();
    });

    it('is empty at first', async () => {
      expect(await store.all()).toEqual([]);
    });

    it('gives back every field of a droplet as it was put in', async () => {
      const whole = droplet(7, 'Ünï "quoted"', {
        ...{ version: '1.2.3', metadata: { version: '1.2.3', deep: [{ a: null }] }, steward: 'me', status: 'error' },
        ...{ proof: { any: ['thing'] }, cost_usd: 0.1, yield_usd: -2.5, registered_at: '2026-01-01T00:00:00.000Z' },
        ...{ updated_at: '2026-01-02T00:00:00.000Z', heartbeat: { at: 1_767_225_600_000, metrics: { cpu: 0.5 } } },
      });
      await store.put(whole);
      expect(await store.all()).toEqual([whole]);
    });

    it('lists by id, whatever the order of putting', async () => {
      for (const id of [10, 2, 33]) await store.put(droplet(id, `d${id}`));
      expect((await store.all()).map(({ id }) => id)).toEqual([2, 10, 33]);
    });

    it('replaces the entry that has the id', async () => {
      await store.put(droplet(1, 'old'));
      await store.put(droplet(1, 'new', { status: 'inactive' }));
      expect(await store.all()).toEqual([droplet(1, 'new', { status: 'inactive' })]);
    });

    it('tells apart names that differ only in case', async () => {
      await store.put(droplet(1, 'Echo'));
      await store.put(droplet(2, 'echo'));
      expect(await store.all()).toHaveLength(2);
    });

    it('removes one and leaves the others', async () => {
      await store.put(droplet(1, 'a'));
      await store.put(droplet(2, 'b'));
      await store.remove(1);
      await store.remove(99);
      expect((await store.all()).map(({ name }) => name)).toEqual(['b']);
    });
  });
}
