import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { OrderStore } from '../src/registry/order.store.js';
import { Cluster } from './support/cluster.js';
import { until } from './support/http.client.js';
import { sharedPostgres } from './support/shared.postgres.js';
import { aMoment } from './support/task.mesh.js';

describe('an operator of two replicas', () => {
  let cluster: Cluster;

  beforeEach(async () => {
    cluster = await Cluster.start({ replicas: 2 });
  });
  afterEach(() => cluster.stop());
  afterAll(async () => (await sharedPostgres()).stop());

  const order = (index: number, droplet: string, verb: string, body?: unknown) =>
    cluster.replica(index).post(`/orchestrator/droplets/${droplet}/${verb}`, body);
  const breakerOf = async (index: number, droplet: string): Promise<string> =>
    (await cluster.replica(index).get(`/orchestrator/droplets/${droplet}`)).json.droplet.health.breaker;

  it('is obeyed by both, whichever of them was told', async () => {
    await order(0, 'echo', 'pause');
    await until(async () => (await breakerOf(1, 'echo')) === 'paused');
    await Promise.all([order(1, 'echo', 'resume'), order(0, 'echo', 'breaker', { state: 'open' })]);
    for (const index of [0, 1]) await until(async () => (await breakerOf(index, 'echo')) === 'open');
  });

  it('is obeyed also when what was read before the order comes in after it', async () => {
    const store = cluster.replica(0).app.get(OrderStore);
    const all = store.all.bind(store);
    let answer = (): void => undefined;
    const isAnswered = new Promise<void>((resolve) => (answer = resolve));
    let isRead = false;
    store.all = async () => {
      store.all = all;
      const orders = await all();
      isRead = true;
      await isAnswered;
      return orders;
    };
    await order(1, 'orchestrator', 'breaker', { state: 'closed' });
    await until(() => isRead);
    const paused = order(0, 'echo', 'pause');
    await Promise.race([paused, aMoment()]);
    answer();
    await paused;
    await aMoment();
    expect(await breakerOf(0, 'echo')).toBe('paused');
  });
});
