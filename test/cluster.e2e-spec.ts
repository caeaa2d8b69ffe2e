import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { v7 } from 'uuid';
import { TaskQueue } from '../src/tasks/task.queue.js';
import { Cluster } from './support/cluster.js';
import { EventReader } from './support/event.reader.js';
import { until, type HttpAnswer } from './support/http.client.js';
import { queryOnce } from './support/postgres.js';
import { reply, TestServer, type Handler } from './support/server.js';
import { sharedPostgres } from './support/shared.postgres.js';
import type { TestOrchestrator } from './support/orchestrator.js';
import { aMoment, ASYNC, Gate } from './support/task.mesh.js';
import { expectError } from './support/udc.error.js';

const REPLICAS = [0, 1, 2];
const SECRET = `whsec_${Buffer.from('a secret that is long enough').toString('base64')}`;
const SETTINGS = { DROPLET_MAX_IN_FLIGHT: '5', CALLBACK_SECRET: SECRET, CALLBACK_ALLOW_PRIVATE: 'true' };

let cluster: Cluster;
let paths: Handler;

beforeAll(async () => {
  cluster = await Cluster.start({ settings: SETTINGS });
  paths = cluster.droplet.handler;
});
beforeEach(() => {
  cluster.droplet.seen.length = 0;
  cluster.droplet.handler = paths;
});
afterAll(async () => {
  await cluster.stop();
  await (await sharedPostgres()).stop();
});

const hold = (): Gate => {
  const gate = new Gate();
  cluster.droplet.handler = gate.handler;
  return gate;
};
const tasks = (index: number, query: string): Promise<any> =>
  cluster
    .replica(index)
    .get(`/orchestrator/tasks?${query}`)
    .then(({ json }) => json);
const cancel = (index: number, id: string): Promise<HttpAnswer> =>
  cluster.replica(index).request('DELETE', `/orchestrator/tasks/${id}`);
const figures = async (index: number): Promise<any> => {
  const { json } = await cluster.replica(index).get('/orchestrator/metrics');
  const { total, success, error, timeout } = json.tasks;
  return { total, success, error, timeout, retry: json.retry };
};

describe('a task that one replica took', () => {
  it('is shown by the others as by itself, once it is durable, and when it has ended', async () => {
    const later = await cluster.queue(0, '/echo', { delay_ms: 3_600_000, meta: { of: 'later' } });
    expect(await cluster.record(1, later)).toMatchObject({ id: later, status: 'queued', meta: { of: 'later' } });
    const { json } = await cluster.ask(0, '/echo', { meta: { of: 'now' } });
    const records = await Promise.all(REPLICAS.map((index) => cluster.record(index, json.task_id)));
    expect(records[1]).toMatchObject({ status: 'success', response_body: json.response_body });
    expect(records).toEqual(records.map(() => records[1]));
    const pages = await Promise.all(REPLICAS.map((index) => tasks(index, 'limit=10')));
    expect(pages[0].tasks.slice(0, 2).map(({ id }: any) => id)).toEqual([json.task_id, later]);
    expect(pages).toEqual(pages.map(() => pages[0]));
    await cancel(2, later);
  });

  it('counts in the totals of every replica', async () => {
    const before = await figures(0);
    await cluster.ask(0, '/echo');
    await cluster.ask(1, '/status?code=404');
    await cluster.ask(2, '/flaky?fail=1&as=totals');
    await cluster.recordWhen(0, await cluster.queue(1, '/echo'));
    const all = await Promise.all(REPLICAS.map(figures));
    expect(all).toEqual(all.map(() => all[0]));
    expect([all[0].total - before.total, all[0].success - before.success, all[0].error - before.error]).toEqual([4, 3, 1]);
    expect(all[0].retry.total_retries - before.retry.total_retries).toBe(1);
  });

  it('and that others took for dead meanwhile counts once, as they recorded it; its caller is told that it was not', async () => {
    const counted = async (): Promise<number> => {
      const pages = await Promise.all(REPLICAS.map((index) => cluster.replica(index).get('/orchestrator/metrics/prometheus')));
      const lines = pages.flatMap(({ text }) => text.split('\n').filter((line) => line.startsWith('orchestrator_tasks_total{')));
      return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    };
    const before = await counted();
    const reader = await EventReader.open(cluster.replica(0).url);
    const gate = hold();
    const waiting = cluster.ask(0, '/work', {}, { 'idempotency-key': 'taken-for-dead' });
    const seen = await until(() => gate.held[0]?.seen);
    const id = String(seen.headers['x-task-id']);
    await until(async () => {
      await queryOnce(cluster.url, 'DELETE FROM orchestrator.replicas');
      return (await cluster.record(1, id)).status === 'error';
    }, 20_000);
    gate.open();
    const { status, json } = await waiting;
    expect([status, json.status, json.recorded]).toEqual([200, 'success', false]);
    expect(await cluster.record(0, id)).toMatchObject({ status: 'error', error: { code: 'INTERRUPTED' } });
    await until(() => reader.of(id).length > 0);
    await aMoment();
    reader.close();
    expect([reader.of(id), await counted()]).toEqual([['error'], before + 1]);
  });

  it('runs when it is due, whoever is there by then', async () => {
    const gone = await cluster.add();
    const dueAt = Date.now() + 400;
    const ids: string[] = [];
    for (const more of [{ delay_ms: 400 }, { run_at: new Date(dueAt).toISOString() }]) {
      const { json } = await gone.task({ droplet_name: 'echo', path: '/echo', ...more });
      ids.push(json.task_id);
    }
    await cluster.remove(gone);
    for (const id of ids) expect(await cluster.recordWhen(1, id)).toMatchObject({ status: 'success', attempts: 1 });
    for (const { started_at } of (await Promise.all(ids.map((id) => cluster.record(2, id)))).flatMap(({ history }) => history)) {
      expect(started_at * 1000).toBeGreaterThanOrEqual(dueAt);
    }
  });

  it('waits behind more urgent ones, whichever replicas took them', async () => {
    const gate = hold();
    const running = await Promise.all([0, 1, 2, 0, 1].map((index) => cluster.queue(index, '/running')));
    await until(() => gate.held.length === 5);
    const wanted = ['/p9', '/p7', '/p5', '/p3', '/p0'];
    const ids = await Promise.all(
      wanted.toReversed().map((path, index) => cluster.queue(index, path, { priority: Number(path[2]) })),
    );
    // One place at a time is free, so that nobody but the queue decides who comes next.
    for (let ended = 1; ended <= 5; ended++) {
      gate.next();
      await until(() => cluster.droplet.seen.length === 5 + ended, 10_000);
    }
    expect(cluster.droplet.seen.slice(5).map(({ url }) => url)).toEqual(wanted);
    gate.open();
    for (const id of [...running, ...ids]) expect((await cluster.recordWhen(0, id)).status).toBe('success');
  });

  it('three hundred over three replicas are called for exactly once each, never more than five at a time', async () => {
    let [now, most] = [0, 0];
    cluster.droplet.handler = (_seen, response) => {
      most = Math.max(most, ++now);
      setTimeout(() => {
        now--;
        reply(response, 200, {});
      }, 5);
    };
    const meta = { run: 'five' };
    const ids: string[] = [];
    for (let n = 0; n < 300; n += 50) {
      ids.push(...(await Promise.all(Array.from({ length: 50 }, (_, index) => cluster.queue(index, '/count', { meta })))));
    }
    await until(async () => (await tasks(1, 'meta.run=five&status=success&limit=1')).total === 300, 40_000);
    await aMoment();
    const calls = cluster.calls();
    expect(cluster.droplet.seen).toHaveLength(300);
    expect(ids.filter((id) => calls.get(id) !== 1)).toEqual([]);
    expect(most).toBe(5);
  }, 50_000);

  it('a batch is shared among the replicas, and each of its tasks runs once', async () => {
    const batch = Array.from({ length: 200 }, () => ({ droplet_name: 'echo', path: '/echo', meta: { run: 'batch' } }));
    const { json } = await cluster.replica(1).post('/orchestrator/tasks/batch', { tasks: batch });
    expect(json.accepted).toBe(200);
    await until(async () => (await tasks(2, 'meta.run=batch&status=success&limit=1')).total === 200, 20_000);
    expect([cluster.calls().size, cluster.droplet.seen.length]).toEqual([200, 200]);
  });
});

describe('a wait for a task that another replica runs', () => {
  it('ends soon after the task, long before its own time', async () => {
    const taker = await cluster.add();
    try {
      // It takes tasks, but runs none itself.
      taker.app.get(TaskQueue).stop();
      const gate = hold();
      const asked = performance.now();
      const waiting = taker.task({ droplet_name: 'echo', path: '/held' }, { prefer: 'wait=60' });
      await until(() => gate.held.length === 1);
      gate.open();
      const { status, json } = await waiting;
      expect([status, json.status, json.response_body]).toEqual([200, 'success', { let: 'through' }]);
      expect(performance.now() - asked).toBeLessThan(20_000);
    } finally {
      await cluster.remove(taker);
    }
  });
});

/** Cuts the connections on which the replicas listen; they are back after a second. */
const deafen = async (): Promise<void> => {
  const database = new URL(cluster.url).pathname.slice(1);
  const sql = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'orchestrator jobs'`;
  await (await sharedPostgres()).query(sql, [database]);
};

describe('DELETE /tasks/{id} on another replica', () => {
  let closed: number;
  const holdAndWatch = (): Gate => {
    const gate = new Gate();
    closed = 0;
    cluster.droplet.handler = (seen, response) => {
      response.once('close', () => closed++);
      gate.handler(seen, response);
    };
    return gate;
  };

  it('of a queued task: it is never sent', async () => {
    const id = await cluster.queue(0, '/later', { delay_ms: 400 });
    const { run_at } = await cluster.record(1, id);
    expect((await cancel(1, id)).json).toMatchObject({ id, status: 'cancelled', attempts: 0, history: [] });
    await until(() => Date.now() > Date.parse(run_at) + 100);
    await aMoment();
    expect([cluster.droplet.hits('/later'), (await cluster.record(2, id)).status]).toEqual([0, 'cancelled']);
  });

  it('of a running one: its call is cut off, and its attempt is in the history', async () => {
    const gate = holdAndWatch();
    // Of three, at least two run elsewhere than where they are cancelled.
    const ids = await Promise.all(REPLICAS.map((index) => cluster.queue(index, '/work', { method: 'POST' })));
    await until(() => gate.held.length === 3);
    const answers = await Promise.all(ids.map((id, index) => cancel(index + 1, id)));
    for (const [index, { status, json }] of answers.entries()) {
      expect([status, json.id, json.status, json.attempts]).toEqual([200, ids[index], 'cancelled', 1]);
      expect(json.error).toMatchObject({ code: 'CANCELLED', details: { effect: 'unknown' } });
      expect(json.history).toEqual([expect.objectContaining({ attempt: 1, error_code: 'CANCELLED', effect: 'unknown' })]);
      expect(await cluster.record(index, json.id)).toEqual(json);
    }
    await until(() => closed === 3);
    expect(cluster.droplet.seen).toHaveLength(3);
  });

  /** A further replica, which runs nothing itself, while another one makes a call that is held. */
  const withCanceller = async (
    work: (at: { canceller: TestOrchestrator; id: string; gate: Gate }) => Promise<void>,
  ): Promise<void> => {
    const gate = holdAndWatch();
    const canceller = await cluster.add();
    try {
      canceller.app.get(TaskQueue).stop();
      const id = await cluster.queue(0, '/work');
      await until(() => gate.held.length === 1);
      await work({ canceller, id, gate });
    } finally {
      await cluster.remove(canceller);
    }
  };

  it('of a running one is answered at once, also by a replica where nobody has listened before', async () => {
    await withCanceller(async ({ canceller, id }) => {
      const asked = performance.now();
      const { json } = await canceller.request('DELETE', `/orchestrator/tasks/${id}`);
      expect(json).toMatchObject({ status: 'cancelled', attempts: 1 });
      // It would wait 2,000 for the record if it did not hear that it is there; tens of ms are usual.
      expect(performance.now() - asked).toBeLessThan(1900);
    });
  });

  it.each([
    ['with an Idempotency-Key', { 'idempotency-key': 'to-be-cancelled' }],
    ['without', {}],
  ])('of a synchronous one %s: its caller hears of it', async (_what, headers: Record<string, string>) => {
    const gate = holdAndWatch();
    const waiting = cluster.ask(0, '/work', { method: 'POST' }, headers);
    await until(() => gate.held.length === 1);
    const id = String(cluster.droplet.seen[0]?.headers['x-task-id']);
    const { status, json } = await cancel(1, id);
    expect([status, json.id, json.status, json.attempts]).toEqual([200, id, 'cancelled', 1]);
    expect((await waiting).json).toMatchObject({ task_id: id, status: 'cancelled', error: { code: 'CANCELLED' } });
    expect(await cluster.record(2, id)).toEqual(json);
    await until(() => closed === 1);
  });

  it('of a running one whose replica hears nothing is forced, and what that replica writes later changes nothing', async () => {
    await withCanceller(async ({ canceller, id, gate }) => {
      await deafen();
      const { status, json } = await canceller.request('DELETE', `/orchestrator/tasks/${id}`);
      expect([status, json.status, json.error.code]).toEqual([200, 'cancelled', 'CANCELLED']);
      gate.open();
      await aMoment();
      for (const index of REPLICAS) expect(await cluster.record(index, id)).toEqual(json);
      expect(cluster.droplet.seen).toHaveLength(1);
    });
  });

  it('of a final one is 409, of an unknown one 404', async () => {
    const id = await cluster.queue(0, '/echo');
    const before = await cluster.recordWhen(1, id);
    expectError(await cancel(1, id), 409, 'CONFLICT');
    expectError(await cancel(2, (await cluster.ask(0, '/echo')).json.task_id), 409, 'CONFLICT');
    expectError(await cancel(1, v7()), 404, 'TASK_NOT_FOUND');
    expect(await cluster.record(2, id)).toEqual(before);
  });

  it('by all of them at once: one cancels, the others hear that it is over', async () => {
    const id = await cluster.queue(0, '/later', { delay_ms: 3_600_000 });
    const answers = await Promise.all(Array.from({ length: 9 }, (_, index) => cancel(index, id)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 8 }, () => 409)]);
  });

  it('of a task that is tried again and again ends that, whoever runs it', async () => {
    cluster.droplet.handler = (_seen, response) => reply(response, 503, {});
    for (let round = 0; round < 8; round++) {
      const id = await cluster.queue(round, `/race${round}`, { max_attempts: 50 });
      await until(() => cluster.droplet.hits(`/race${round}`) > round % 3);
      expect((await cancel(round + 1, id)).json).toMatchObject({ status: 'cancelled' });
      const calls = cluster.droplet.hits(`/race${round}`);
      await aMoment();
      expect([cluster.droplet.hits(`/race${round}`), (await cluster.record(round, id)).status]).toEqual([calls, 'cancelled']);
    }
  });
});

describe('an Idempotency-Key over three replicas', () => {
  const post = (index: number, key: string, more: object = {}, headers: Record<string, string> = {}) =>
    cluster.ask(index, '/keyed', { method: 'POST', payload: { n: 1 }, ...more }, { 'idempotency-key': key, ...headers });

  beforeEach(() => {
    cluster.droplet.handler = (_seen, response) => void setTimeout(() => reply(response, 200, { done: true }), 30);
  });

  it('two hundred synchronous requests at once are one task and one call; the others are replayed, or told that it runs', async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => post(index, 'sync-200')));
    expect(cluster.droplet.seen).toHaveLength(1);
    const first = answers.filter(({ status, headers }) => status === 200 && headers.get('idempotency-replayed') === null);
    expect(first).toHaveLength(1);
    const id = first[0]?.json.task_id;
    for (const answer of answers) {
      if (answer.status === 200) expect(answer.json).toEqual(first[0]?.json);
      else {
        expectError(answer, 409, 'CONFLICT');
        expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
      }
    }
    for (const index of REPLICAS) {
      const again = await post(index, 'sync-200');
      expect([again.status, again.json.task_id, again.headers.get('idempotency-replayed')]).toEqual([200, id, 'true']);
    }
    expect(cluster.droplet.seen).toHaveLength(1);
  });

  it('two hundred asynchronous requests at once are one task and one call; the others get its receipt again', async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => post(index, 'async-200', {}, ASYNC)));
    const ids = new Set(answers.map(({ json }) => json.task_id));
    expect(ids.size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === null)).toHaveLength(1);
    // One that comes when the task is over already gets what came of it.
    expect(answers.filter(({ status }) => status !== 202 && status !== 200)).toEqual([]);
    await cluster.recordWhen(2, [...ids][0]);
    await aMoment();
    expect([...cluster.calls()]).toEqual([[[...ids][0], 1]]);
  });

  it('of another request is 422 on any of them', async () => {
    await post(0, 'other');
    for (const index of REPLICAS) expectError(await post(index, 'other', { payload: { n: 2 } }), 422, 'IDEMPOTENCY_MISMATCH');
    expect(cluster.droplet.seen).toHaveLength(1);
  });

  it('of a request that was refused is free', async () => {
    expectError(await post(0, 'refused', { path: '/../up' }), 400, 'INVALID_REQUEST');
    expectError(await post(1, 'refused', { droplet_name: 'nobody' }), 400, 'DROPLET_NOT_FOUND');
    expect((await post(2, 'refused')).status).toBe(200);
    expect((await post(0, 'refused')).headers.get('idempotency-replayed')).toBe('true');
  });
});

describe('running again', () => {
  const retry = (index: number, id: string) => cluster.replica(index).post(`/orchestrator/tasks/${id}/retry`);

  it('a task that failed on one replica is run again from another, under its id', async () => {
    cluster.droplet.handler = (_seen, response) => reply(response, 404, {});
    const id = (await cluster.ask(0, '/again')).json.task_id;
    cluster.droplet.handler = paths;
    expect((await retry(1, id)).status).toBe(202);
    cluster.droplet.handler = (_seen, response) => reply(response, 200, {});
    const record = await cluster.recordWhen(2, id, ['success', 'error']);
    expect([record.id, record.history.length]).toEqual([id, 2]);
    if (record.status === 'success') expectError(await retry(0, id), 409, 'CONFLICT');
  });

  it('by all replicas at once is done once', async () => {
    const id = (await cluster.ask(0, '/status?code=404')).json.task_id;
    const answers = await Promise.all(Array.from({ length: 9 }, (_, index) => retry(index, id)));
    const again = answers.filter(({ status }) => status === 202).length;
    const { history } = await cluster.recordWhen(1, id);
    await aMoment();
    // Each 202 is a run of its own: one that came when the task had failed again is right to run it again.
    expect([(await cluster.recordWhen(1, id)).history.length, again > 0]).toEqual([1 + again, true]);
    expect(history.length).toBeLessThanOrEqual(1 + again);
  });

  it('of many, from another replica', async () => {
    const created_after = new Date().toISOString();
    await aMoment();
    await Promise.all(
      Array.from({ length: 30 }, (_, index) => cluster.ask(index, '/status?code=404', { meta: { run: 'many' } })),
    );
    const before = cluster.droplet.seen.length;
    const { status, json } = await cluster.replica(1).post('/orchestrator/tasks/retry', { status: 'error', created_after });
    expect([status, json.scheduled]).toEqual([202, 30]);
    await until(() => cluster.droplet.seen.length === before + 30, 20_000);
    await until(async () => (await tasks(2, 'meta.run=many&status=error&limit=1')).total === 30, 20_000);
  });
});

describe('callbacks', () => {
  let receiver: TestServer;
  beforeEach(async () => {
    receiver = await TestServer.start((_seen, response) => reply(response, 204));
  });
  afterEach(() => receiver.stop());

  it('are delivered once each, whoever took and whoever ran the tasks', async () => {
    const more = { callback_url: `${receiver.url}/hook`, meta: { run: 'hook' } };
    const queued = await Promise.all(Array.from({ length: 30 }, (_, index) => cluster.queue(index, '/echo', more)));
    const waited = await Promise.all(REPLICAS.map(async (index) => (await cluster.ask(index, '/echo', more)).json.task_id));
    const ids = [...queued, ...waited];
    for (const id of ids) await until(async () => (await cluster.record(1, id)).callback?.status === 'delivered', 20_000);
    expect(receiver.seen.map(({ headers }) => headers['webhook-id']).sort()).toEqual([...ids].sort());
  });
});
