import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { orderStoreContract } from '../../../test/contracts/order.store.contract.js';
import { until } from '../../../test/support/http.client.js';
import { ManualClock } from '../../../test/support/manual.clock.js';
import { emptyDatabase, openPostgres } from '../../../test/support/postgres.stores.js';
import { sharedPostgres } from '../../../test/support/shared.postgres.js';

type Opened = Awaited<ReturnType<typeof openPostgres>>;

afterAll(async () => (await sharedPostgres()).stop());

orderStoreContract('PostgreSQL', async () => {
  const { orders: store, close } = await openPostgres(await emptyDatabase());
  return { store, close };
});

describe('the orders of two replicas', () => {
  let clock: ManualClock;
  let one: Opened;
  let other: Opened;

  beforeEach(async () => {
    const url = await emptyDatabase();
    clock = new ManualClock();
    [one, other] = [await openPostgres(url, clock), await openPostgres(url, clock)];
  });
  afterEach(async () => {
    await Promise.all([one.close(), other.close()]);
  });

  it('both hold when each says something else of one droplet at once', async () => {
    for (let round = 0; round < 20; round++) {
      const name = `droplet ${round}`;
      await Promise.all([one.orders.put(name, { paused: true }), other.orders.put(name, { breaker: 'open' })]);
      expect((await one.orders.all()).get(name)).toEqual({ paused: true, breaker: 'open' });
    }
  });

  it('are told to the other, which finds by a look now and then what no message told of', async () => {
    let told = 0;
    other.orders.onChange(() => told++);
    await one.orders.put('echo', { paused: true });
    await until(() => {
      clock.advance(1);
      return told > 0;
    });
    expect(clock.monotonic()).toBeLessThan(10_000);
    one.bus.send = () => undefined;
    await one.orders.put('echo', { paused: false });
    clock.advance(10_000);
    await until(() => told > 1);
  });
});
