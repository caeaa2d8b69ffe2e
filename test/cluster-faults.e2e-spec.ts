import { afterAll, describe, expect, it } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { Balancer } from './crash/balancer.js';
import { ClusterLoad, lineOf, NOTHING } from './crash/cluster.load.js';
import { allFinal, allTasks } from './crash/task.books.js';
import { AS_PROCESSES, Cluster } from './support/cluster.js';
import { until } from './support/http.client.js';
import { stopsAfterEach } from './support/outbound.cleanup.js';
import type { OrchestratorProcess } from './support/process.js';
import { reply } from './support/server.js';
import { sharedPostgres } from './support/shared.postgres.js';

/** What issue and contract promise: a task of a replica that is gone runs elsewhere within this. */
const ELSEWHERE_MS = 20_000;
const KILLS = 4;

describe('replicas that die', () => {
  const stops = stopsAfterEach();
  afterAll(async () => (await sharedPostgres()).stop());

  const started = async (replicas = 3, settings: Record<string, string> = {}): Promise<Cluster<OrchestratorProcess>> =>
    stops(await Cluster.of(AS_PROCESSES, { replicas, settings }));

  it('none: 5,000 asynchronous tasks on three replicas make exactly 5,000 calls', async () => {
    const cluster = await started();
    const batch = { tasks: Array.from({ length: 250 }, () => ({ droplet_name: 'echo', path: '/health' })) };
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => cluster.replica(index).post('/orchestrator/tasks/batch', batch)),
    );
    expect(answers.map(({ json }) => json.accepted)).toEqual(answers.map(() => 250));
    await allFinal(cluster.replica(0));
    expect(await cluster.count(1, 'success')).toBe(5000);
    const calls = [...cluster.calls().values()];
    expect([calls.length, Math.max(...calls)]).toEqual([5000, 1]);
    expect((await cluster.replica(2).get('/orchestrator/metrics')).json.tasks).toMatchObject({ total: 5000, success: 5000 });
  }, 90_000);

  it('one is stopped for longer than its lease: its tasks run elsewhere, and what it writes late changes nothing', async () => {
    const cluster = await started(1, { ASYNC_ATTEMPT_TIMEOUT: '60' });
    const stopped = cluster.replica(0);
    const held = new Map<string, { response: ServerResponse; at: number }[]>();
    const callsOf = (id: string) => held.get(id) ?? [];
    const answer = (id: string, call: number): void =>
      reply(callsOf(id)[call]!.response, 200, { by: call === 0 ? 'the stopped one' : 'another' });
    const home = cluster.droplet.handler;
    cluster.droplet.handler = (seen, response) => {
      if (!['/held', '/long'].includes(seen.url)) return home(seen, response);
      const id = String(seen.headers['x-task-id']);
      held.set(id, [...callsOf(id), { response, at: performance.now() }]);
    };
    const ids = await Promise.all(Array.from({ length: 6 }, () => cluster.queue(0, '/held')));
    await until(() => ids.every((id) => callsOf(id).length === 1));
    await Promise.all([cluster.add(), cluster.add()]);

    stopped.process.signal('SIGSTOP');
    const stoppedAt = performance.now();
    const long = await cluster.queue(1, '/long');
    await until(() => ids.every((id) => callsOf(id).length === 2), 2 * ELSEWHERE_MS);
    const waits = ids.map((id) => callsOf(id)[1]!.at - stoppedAt);
    process.stdout.write(`started elsewhere after ${Math.round(Math.min(...waits))} to ${Math.round(Math.max(...waits))} ms\n`);
    expect(Math.max(...waits)).toBeLessThan(ELSEWHERE_MS);

    // Half of them end before the stopped one goes on, half of them are still being run by another.
    const ended = ids.slice(0, 3);
    for (const id of ended) answer(id, 1);
    const before = await Promise.all(ended.map((id) => cluster.recordWhen(1, id, ['success'])));
    for (const id of ids) answer(id, 0);
    stopped.process.signal('SIGCONT');
    // Its writes go out in their order: what it wrote late has come to its end when this one has.
    await until(async () => (await cluster.ask(0, '/health')).json.recorded !== false);
    expect(await Promise.all(ended.map((id) => cluster.record(1, id)))).toEqual(before);
    for (const id of ids.slice(3)) {
      expect(await cluster.record(1, id)).toMatchObject({ status: 'running', completed_at: null, response_body: null });
      answer(id, 1);
    }
    for (const id of ids) {
      const record = await cluster.recordWhen(2, id);
      expect(record).toMatchObject({ status: 'success', attempts: 1, retry_count: 0, response_body: { by: 'another' } });
      expect(record.history).toHaveLength(1);
      expect(callsOf(id)).toHaveLength(2);
    }
    const { tasks } = (await cluster.replica(1).get('/orchestrator/metrics')).json;
    expect(tasks).toMatchObject({ total: await cluster.count(1, 'success'), error: 0, timeout: 0 });

    // A call of a living replica may take longer than any lease: nobody else makes it meanwhile.
    await until(() => performance.now() - stoppedAt > ELSEWHERE_MS, ELSEWHERE_MS);
    expect(callsOf(long)).toHaveLength(1);
    answer(long, 0);
    expect(await cluster.recordWhen(2, long)).toMatchObject({ status: 'success', attempts: 1 });

    for (const other of cluster.replicas.slice(1)) await cluster.remove(other);
    expect(await cluster.recordWhen(0, await cluster.queue(0, '/health'))).toMatchObject({ status: 'success', attempts: 1 });
  }, 120_000);

  it(`one after the other by kill -9, ${KILLS} times under load: no acknowledged task is lost, stuck or failed`, async () => {
    const cluster = await started();
    const load = ClusterLoad.start(cluster);
    for (let kill = 0; kill < KILLS; kill++) {
      await load.more(300);
      await cluster.remove(cluster.replica(kill));
      await cluster.add();
    }
    await load.more(100);
    const report = await load.finish();
    process.stdout.write(lineOf(report));
    expect(report).toMatchObject({ ...NOTHING, refused: 0 });
    expect(report.calls).toBeGreaterThanOrEqual(report.acknowledged);
    // A loop whose kills hit nothing proves nothing.
    expect(report.takenOver.count).toBeGreaterThan(0);
    expect(report.takenOver.max).toBeLessThan(ELSEWHERE_MS);
  }, 180_000);

  it('the one whose caller waits: its task ends as INTERRUPTED, is not called again, and its key replays that', async () => {
    const cluster = await started(2);
    const home = cluster.droplet.handler;
    cluster.droplet.handler = (seen, response) => (seen.url === '/never' ? undefined : home(seen, response));
    const ask = (index: number) =>
      cluster.ask(index, '/never', { method: 'POST', payload: { order: 7 } }, { 'idempotency-key': 'order-7' });
    const waiting = ask(0).catch(() => 'no answer');
    await until(() => cluster.droplet.hits('/never') === 1);
    const running = await ask(1);
    expect([running.status, running.json.error.code]).toEqual([409, 'CONFLICT']);
    await cluster.remove(cluster.replica(0));
    expect(await waiting).toBe('no answer');

    const after = await until(async () => {
      const again = await ask(0);
      return again.status === 200 ? again : null;
    }, 40_000);
    expect(after.headers.get('idempotency-replayed')).toBe('true');
    expect(after.json).toMatchObject({ status: 'error', response_status: null, error: { code: 'INTERRUPTED' } });
    expect((await cluster.record(0, after.json.task_id)).status).toBe('error');
    expect(cluster.droplet.hits('/never')).toBe(1);
  }, 90_000);

  it('the one that runs a task that must not be repeated: it ends as INTERRUPTED elsewhere, and is not called again', async () => {
    const cluster = await started(2);
    const home = cluster.droplet.handler;
    cluster.droplet.handler = (seen, response) => (seen.url === '/never' ? undefined : home(seen, response));
    const id = await cluster.queue(0, '/never', { method: 'POST', retry_unsafe: false });
    await until(() => cluster.droplet.hits('/never') === 1);
    // Whoever runs it dies: a replica that comes later takes it over.
    await cluster.add();
    for (const replica of cluster.replicas.slice(0, 2)) await cluster.remove(replica);
    expect(await cluster.recordWhen(0, id, undefined, 40_000)).toMatchObject({
      ...{ status: 'error', response_status: null },
      error: { code: 'INTERRUPTED', details: { effect: 'unknown' } },
    });
    expect(cluster.droplet.hits('/never')).toBe(1);
  }, 90_000);

  it('none: one Idempotency-Key, 200 times at once over three replicas, is one task and one call', async () => {
    const cluster = await started();
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        cluster.ask(index, '/echo', { method: 'POST', payload: 1 }, { prefer: 'respond-async', 'idempotency-key': 'one' }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    const ids = new Set(answers.map(({ json }) => json.task_id));
    expect(ids.size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === null)).toHaveLength(1);
    await cluster.recordWhen(1, [...ids][0], ['success']);
    await allFinal(cluster.replica(2));
    expect(cluster.droplet.hits('/echo')).toBe(1);
    expect((await cluster.replica(0).get('/orchestrator/tasks')).json.total).toBe(1);
  }, 60_000);

  it('none: all three are replaced one by one under load, and no request fails', async () => {
    const cluster = await started(3, { SHUTDOWN_DELAY: '1', SHUTDOWN_GRACE: '20' });
    const { droplet } = cluster;
    const home = droplet.handler;
    droplet.handler = (seen, response) => void setTimeout(() => home(seen, response), droplet.seen.length % 200);
    const balancer = stops(Balancer.before(cluster));
    for (const replica of [...cluster.replicas]) {
      await balancer.more(150);
      expect(await replica.leave()).toEqual({ code: 0, signal: null });
      await cluster.remove(replica);
      const heir = await cluster.add();
      await until(() => balancer.sendsTo(heir));
    }
    await balancer.more(150);
    await balancer.stop();
    expect(balancer.failures).toEqual([]);
    await allFinal(cluster.replica(0));
    const tasks = await allTasks(cluster.replica(0));
    expect(tasks.map(({ id }) => id).sort()).toEqual([...balancer.accepted].sort());
    expect(new Set(tasks.map(({ status }) => status))).toEqual(new Set(['success']));
  }, 120_000);
});
