import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { OrderStore } from '../../src/registry/order.store.js';

/** An empty store, and how to leave it. */
export interface OrderStoreUnderTest {
  readonly store: OrderStore;
  readonly close: () => void | Promise<void>;
}

/** What every OrderStore must do. */
export function orderStoreContract(name: string, open: () => OrderStoreUnderTest | Promise<OrderStoreUnderTest>): void {
  describe(`OrderStore: ${name}`, () => {
    let subject: OrderStoreUnderTest;
    let store: OrderStore;

    beforeEach(async () => {
      subject = await open();
      store = subject.store;
    });
    afterEach(async () => {
      await subject.close();
    });

    it('is empty at first', async () => {
      expect(await store.all()).toEqual(new Map());
    });

    it('leaves what was not said as it is for a droplet that nobody has spoken of', async () => {
      expect(await store.put('a', { paused: true })).toEqual({ paused: true, breaker: 'auto' });
      expect(await store.put('b', { breaker: 'open' })).toEqual({ paused: false, breaker: 'open' });
      expect([...(await store.all())].sort()).toEqual([
        ['a', { paused: true, breaker: 'auto' }],
        ['b', { paused: false, breaker: 'open' }],
      ]);
    });

    it('changes only what is said, and tells what holds then', async () => {
      await store.put('a', { paused: true, breaker: 'closed' });
      expect(await store.put('a', { breaker: 'open' })).toEqual({ paused: true, breaker: 'open' });
      expect(await store.put('a', { paused: false })).toEqual({ paused: false, breaker: 'open' });
      expect(await store.all()).toEqual(new Map([['a', { paused: false, breaker: 'open' }]]));
    });

    it('keeps odd names as they came', async () => {
      const odd = 'NUL \u0000 and "é" \\';
      await store.put(odd, { paused: true });
      expect([...(await store.all()).keys()]).toEqual([odd]);
    });
  });
}
