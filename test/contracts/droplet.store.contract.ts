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
      expect(await store.put(whole, null)).toBe(true);
      expect(await store.all()).toEqual([whole]);
    });

    it('keeps odd names and numbers as they came', async () => {
      const odd = droplet(1, 'NUL \u0000 and half a pair \ud83d', { metadata: { '\ude00': ['\u0000\udbff'], n: 1e21 } });
      expect(await store.put(odd, null)).toBe(true);
      const after = { ...odd, steward: '\ud83d' };
      expect(await store.put(after, odd)).toBe(true);
      expect(await store.all()).toEqual([after]);
    });

    it('lists by id, whatever the order of putting', async () => {
      for (const id of [10, 2, 33]) await store.put(droplet(id, `d${id}`), null);
      expect((await store.all()).map(({ id }) => id)).toEqual([2, 10, 33]);
    });

    it('replaces an entry that is still as it was read', async () => {
      await store.put(droplet(1, 'old'), null);
      expect(await store.put(droplet(1, 'new', { status: 'inactive' }), droplet(1, 'old'))).toBe(true);
      expect(await store.all()).toEqual([droplet(1, 'new', { status: 'inactive' })]);
    });

    it('writes nothing over what another has written since', async () => {
      await store.put(droplet(1, 'old'), null);
      await store.put(droplet(1, 'other'), droplet(1, 'old'));
      expect(await store.put(droplet(1, 'late'), droplet(1, 'old'))).toBe(false);
      expect(await store.put(droplet(9, 'gone'), droplet(9, 'gone'))).toBe(false);
      expect((await store.all()).map(({ name }) => name)).toEqual(['other']);
    });

    it('gives no two entries one id or one name', async () => {
      await store.put(droplet(1, 'a'), null);
      await store.put(droplet(2, 'b'), null);
      expect(await store.put(droplet(1, 'c'), null)).toBe(false);
      expect(await store.put(droplet(3, 'a'), null)).toBe(false);
      expect(await store.put(droplet(2, 'a'), droplet(2, 'b'))).toBe(false);
      expect((await store.all()).map(({ id, name }) => [id, name])).toEqual([
        [1, 'a'],
        [2, 'b'],
      ]);
    });

    it('tells apart names that differ only in case', async () => {
      await store.put(droplet(1, 'Echo'), null);
      await store.put(droplet(2, 'echo'), null);
      expect(await store.all()).toHaveLength(2);
    });

    it('removes one and leaves the others', async () => {
      await store.put(droplet(1, 'a'), null);
      await store.put(droplet(2, 'b'), null);
      expect(await store.remove(droplet(1, 'a'))).toBe(true);
      expect(await store.remove(droplet(99, 'nobody'))).toBe(false);
      expect((await store.all()).map(({ name }) => name)).toEqual(['b']);
    });

    it('removes nothing that another has written since', async () => {
      await store.put(droplet(1, 'a'), null);
      await store.put(droplet(1, 'b'), droplet(1, 'a'));
      expect(await store.remove(droplet(1, 'a'))).toBe(false);
      expect((await store.all()).map(({ name }) => name)).toEqual(['b']);
    });
  });
}
