import { afterEach, describe, expect, it } from '@jest/globals';
import { until } from './support/http.client.js';
import { fullListener } from './support/misbehaving.droplet.js';
import { freePort, reply } from './support/server.js';
import { aMoment, ASYNC, type Gate, TaskMesh } from './support/task.mesh.js';
import { entry } from './support/registry.js';
import { expectError } from './support/udc.error.js';

let mesh: TaskMesh;

const start = async (settings: Record<string, string> = {}): Promise<void> => {
  mesh = await TaskMesh.start(settings);
};
const hold = (): Gate => mesh.hold();

afterEach(() => mesh.stop());

describe('the order of the queue', () => {
  it('is by priority, 9 first, then by time', async () => {
    await start({ DROPLET_MAX_IN_FLIGHT: '1' });
    const gate = hold();
    await mesh.queue('/first');
    await until(() => gate.held.length === 1);
    for (const priority of [0, 5, 9, 1, 5, 9]) await mesh.queue(`/p${priority}`, { priority });
    await mesh.queue('/default');
    gate.open();
    await until(async () => (await mesh.list('?status=success')).total === 8);
    expect(mesh.echo.seen.map(({ url }) => url)).toEqual(['/first', '/p9', '/p9', '/p5', '/p5', '/default', '/p1', '/p0']);
  });

  it('does not let an urgent task that is not due yet hold the others', async () => {
    await start({ DROPLET_MAX_IN_FLIGHT: '1' });
    await mesh.queue('/urgent', { priority: 9, delay_ms: 3_600_000 });
    const id = await mesh.queue('/idle', { priority: 0 });
    expect((await mesh.recordWhen(id)).attempts).toBe(1);
    expect(mesh.echo.hits('/urgent')).toBe(0);
  });
});

describe('DROPLET_MAX_IN_FLIGHT', () => {
  it('a droplet gets no more calls at once than that, and all in the end', async () => {
    await start({ DROPLET_MAX_IN_FLIGHT: '3' });
    const gate = hold();
    const ids = await Promise.all(Array.from({ length: 20 }, () => mesh.queue('/work')));
    await until(() => gate.held.length === 3);
    await aMoment();
    expect(gate.most).toBe(3);
    while (mesh.echo.seen.length < 20) {
      gate.next();
      await until(() => gate.held.length > 0);
    }
    gate.open();
    for (const id of ids) expect(await mesh.recordWhen(id)).toMatchObject({ status: 'success', attempts: 1 });
    expect(gate.most).toBe(3);
  });

  it('a droplet that hangs never holds the tasks of another', async () => {
    await start({ DROPLET_MAX_IN_FLIGHT: '2' });
    const gate = hold();
    for (let count = 0; count < 10; count++) await mesh.queue('/work', { priority: 9 });
    const { json } = await mesh.orchestrator.task({ droplet_name: 'OTHER', path: '/echo', priority: 0 }, ASYNC);
    expect(await mesh.recordWhen(json.task_id)).toMatchObject({ status: 'success' });
    expect([gate.held.length, mesh.echo.hits()]).toEqual([2, 2]);
    gate.open();
  });

  it('one droplet is one, however its name is typed', async () => {
    await start({ DROPLET_MAX_IN_FLIGHT: '1' });
    const gate = hold();
    for (const droplet_name of ['echo', 'ECHO', 'Echo']) await mesh.orchestrator.task({ droplet_name, path: '/w' }, ASYNC);
    await until(() => gate.held.length === 1);
    await aMoment();
    expect(gate.most).toBe(1);
    gate.open();
    await until(async () => (await mesh.list('?status=success')).total === 3);
  });
});

describe('QUEUE_LIMIT', () => {
  it('beyond it a task is refused with 503 OVERLOADED and Retry-After, and is taken when there is room again', async () => {
    await start({ QUEUE_LIMIT: '3' });
    const ids = [await mesh.queue('/a', { delay_ms: 60_000 }), await mesh.queue('/b', { delay_ms: 60_000 })];
    await mesh.queue('/c', { delay_ms: 60_000 });
    const refused = await mesh.ask('/d', {}, ASYNC);
    expectError(refused, 503, 'OVERLOADED');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    const batch = await mesh.orchestrator.post('/orchestrator/tasks/batch', { tasks: [{ droplet_name: 'echo', path: '/d' }] });
    expectError(batch, 503, 'OVERLOADED');
    expect((await mesh.list()).total).toBe(3);
    expect((await mesh.ask('/echo')).status).toBe(200);
    for (const id of ids) await mesh.cancel(id);
    await mesh.recordWhen(await mesh.queue('/echo'));
    expect(mesh.echo.hits('/d')).toBe(0);
  });

  it('a repeat with its key gets its receipt again, and another request with that key is told so', async () => {
    await start({ QUEUE_LIMIT: '1' });
    const [key, later] = [{ 'idempotency-key': 'k' }, { delay_ms: 60_000 }];
    const { json } = await mesh.ask('/a', later, key);
    const again = await mesh.ask('/a', later, key);
    expect([again.status, again.json.task_id, again.headers.get('idempotency-replayed')]).toEqual([202, json.task_id, 'true']);
    expectError(await mesh.ask('/b', later, key), 422, 'IDEMPOTENCY_MISMATCH');
    expectError(await mesh.ask('/a', later, { 'idempotency-key': 'other' }), 503, 'OVERLOADED');
  });

  it('holds for tasks that are run again, too', async () => {
    await start({ QUEUE_LIMIT: '2' });
    const ids: string[] = [];
    for (let count = 0; count < 3; count++) ids.push((await mesh.ask('/status?code=404')).json.task_id);
    const retryAll = () => mesh.orchestrator.post('/orchestrator/tasks/retry', {});
    const gate = hold();
    expect(await retryAll()).toMatchObject({ status: 202, json: { scheduled: 2 } });
    await until(() => gate.held.length === 2);
    for (const refused of [await retryAll(), await mesh.retry(ids[0] ?? '')]) expectError(refused, 503, 'OVERLOADED');
    expectError(await mesh.retry(ids[2] ?? ''), 409, 'CONFLICT');
    gate.open();
    await until(async () => (await mesh.list('?status=success')).total === 2);
    expect(await retryAll()).toMatchObject({ status: 202, json: { scheduled: 1 } });
  });

  it('counts what an earlier life has left', async () => {
    await start({ QUEUE_LIMIT: '1' });
    await mesh.queue('/a', { delay_ms: 60_000 });
    await mesh.restart();
    expectError(await mesh.ask('/b', {}, ASYNC), 503, 'OVERLOADED');
  });
});

describe('the deadline', () => {
  it('counts from when the task is first due, not from when it came', async () => {
    await start();
    const record = await mesh.recordWhen(await mesh.queue('/echo', { delay_ms: 2000, timeout_ms: 1500 }));
    expect(record).toMatchObject({ status: 'success', attempts: 1 });
    expect(Number(mesh.echo.seen[0]?.headers['x-task-deadline-ms'])).toBeLessThanOrEqual(1500);
  });

  it('a task that is still queued when it passes ends as a timeout and is not sent', async () => {
    await start({ DROPLET_MAX_IN_FLIGHT: '1' });
    const gate = hold();
    await mesh.queue('/first');
    await until(() => gate.held.length === 1);
    const id = await mesh.queue('/late', { timeout_ms: 100 });
    await until(() => performance.now() > (mesh.echo.seen[0]?.at ?? 0) + 300);
    gate.open();
    expect(await mesh.recordWhen(id)).toMatchObject({
      ...{ status: 'timeout', response_status: null, attempts: 0, retry_count: 0, history: [] },
      error: { code: 'TIMEOUT', details: { stopped_by: 'deadline', effect: 'none' } },
    });
    expect(mesh.echo.hits('/late')).toBe(0);
  });

  it('passes while no process lives, too', async () => {
    await start();
    const id = await mesh.queue('/late', { delay_ms: 300, timeout_ms: 100 });
    const { run_at } = await mesh.record(id);
    await mesh.orchestrator.leave();
    await until(() => Date.now() > Date.parse(run_at) + 150);
    await mesh.revive();
    expect(await mesh.recordWhen(id)).toMatchObject({ status: 'timeout', attempts: 0 });
    expect(mesh.echo.hits('/late')).toBe(0);
  });
});

describe('a droplet that is gone when its task is due', () => {
  it('is asked for again: the task succeeds once it is back, wherever that is', async () => {
    await start({ REGISTRY_SYNC_INTERVAL: '0.05', REGISTRY_MISSING_KEEP: '1' });
    const fillers = [5, 6, 7].map((id) => entry(id, `filler${id}`, mesh.other.url));
    const [echo, other] = mesh.registry.list;
    if (!echo || !other) throw new Error('no entries');
    mesh.registry.list = [echo, other, ...fillers];
    await until(async () => (await mesh.orchestrator.get('/droplets/filler7')).status === 200);
    const { json } = await mesh.ask('/echo', { delay_ms: 600, max_attempts: 50 });
    mesh.registry.list = [other, ...fillers];
    await until(async () => (await mesh.orchestrator.get('/droplets/Echo')).status === 404);
    await until(async () => (await mesh.record(json.task_id)).attempts >= 1);
    expect(mesh.echo.hits()).toBe(0);
    mesh.registry.list = [other, ...fillers, { ...echo, endpoint: `${mesh.other.url}/moved` }];
    mesh.other.handler = (_seen, response) => reply(response, 200, { here: true });
    const record = await mesh.recordWhen(json.task_id);
    expect(record).toMatchObject({
      status: 'success',
      target_url: `${mesh.other.url}/moved/echo`,
      response_body: { here: true },
    });
    expect(record.history[0]).toMatchObject({ error_code: 'DROPLET_UNREACHABLE', endpoint: null, effect: 'none' });
    expect(record.history.at(-1).endpoint).toBe(`${mesh.other.url}/moved`);
  });

  it('is an error in the end, with no effect', async () => {
    await start();
    const gone = `http://127.0.0.1:${await freePort()}`;
    mesh.registry.list = [...mesh.registry.list, entry(9, 'gone', gone)];
    const { json } = await mesh.orchestrator.task({ droplet_name: 'gone', path: '/x', method: 'POST', max_attempts: 3 }, ASYNC);
    expect(await mesh.recordWhen(json.task_id)).toMatchObject({
      ...{ status: 'error', response_status: null, attempts: 3, retry_count: 3 },
      error: { code: 'DROPLET_UNREACHABLE', details: { effect: 'none', stopped_by: 'attempts' } },
    });
  });
});

describe('a restart', () => {
  it('a task that waits for its next attempt keeps its attempts, history and wait', async () => {
    await start({ ASYNC_BACKOFF_BASE_MS: '1000', ASYNC_BACKOFF_MAX_MS: '1000' });
    const id = await mesh.queue('/flaky?fail=1');
    const before = await until(async () => {
      const record = await mesh.record(id);
      return record.attempts === 1 && record.status === 'queued' ? record : null;
    });
    expect(before).toMatchObject({ retry_count: 1, error: null, completed_at: null });
    expect(before.history).toHaveLength(1);
    await mesh.restart();
    const after = await mesh.recordWhen(id);
    expect(after).toMatchObject({ status: 'success', attempts: 2, retry_count: 1, created_at: before.created_at });
    expect(after.history[0]).toEqual(before.history[0]);
    expect(after.history[1]).toMatchObject({ attempt: 2, delay_ms: 1000, response_status: 200 });
    expect(after.history[1].started_at - after.history[0].started_at).toBeGreaterThanOrEqual(0.99);
    expect(mesh.echo.seen.map(({ headers }) => headers['x-task-attempt'])).toEqual(['1', '2']);
  });

  it('a delayed task is neither lost nor early', async () => {
    await start();
    const id = await mesh.queue('/echo', { delay_ms: 3000, priority: 2, meta: { a: 'b' } });
    const { run_at } = await mesh.record(id);
    await mesh.restart();
    expect(await mesh.record(id)).toMatchObject({ status: 'queued', run_at, priority: 2, meta: { a: 'b' } });
    const record = await mesh.recordWhen(id);
    expect(record.history[0].started_at * 1000).toBeGreaterThanOrEqual(Date.parse(run_at) - 2);
  });

  it('gives a running task back with no attempt spent: the next life runs it', async () => {
    await start({ SHUTDOWN_GRACE: '0.1' });
    const gate = hold();
    const id = await mesh.queue('/work', { method: 'POST', payload: { n: 1 }, max_attempts: 1 });
    await until(() => gate.held.length === 1);
    await mesh.orchestrator.leave();
    gate.open();
    await mesh.revive();
    const record = await mesh.recordWhen(id);
    expect(record).toMatchObject({ status: 'success', attempts: 1, retry_count: 0 });
    expect(record.history).toHaveLength(1);
    expect(mesh.echo.seen.map(({ headers, body }) => [headers['x-task-attempt'], headers['x-task-id'], body])).toEqual([
      ['1', id, '{"n":1}'],
      ['1', id, '{"n":1}'],
    ]);
  });

  it.each(['POST', 'PATCH'])('sends no %s again that must not be repeated: nobody knows what it did', async (method) => {
    await start({ SHUTDOWN_GRACE: '0.1' });
    const gate = hold();
    const id = await mesh.queue('/work', { method, payload: { n: 1 }, retry_unsafe: false });
    await until(() => gate.held.length === 1);
    await mesh.orchestrator.leave();
    gate.open();
    await mesh.revive();
    expect(await mesh.recordWhen(id)).toMatchObject({
      ...{ status: 'error', response_status: null, attempts: 1, history: [{ error_code: 'INTERRUPTED', effect: 'unknown' }] },
      error: { code: 'INTERRUPTED', details: { effect: 'unknown', stopped_by: null } },
    });
    await mesh.recordWhen(await mesh.queue('/after'));
    expect(mesh.echo.hits('/work')).toBe(1);
  });

  it('sends a PUT again, whatever the task says of a POST', async () => {
    await start({ SHUTDOWN_GRACE: '0.1' });
    const gate = hold();
    const id = await mesh.queue('/work', { method: 'PUT', retry_unsafe: false });
    await until(() => gate.held.length === 1);
    await mesh.orchestrator.leave();
    gate.open();
    await mesh.revive();
    expect(await mesh.recordWhen(id)).toMatchObject({ status: 'success', attempts: 1 });
  });

  it('gives back what had certainly not left, also when it must not be repeated', async () => {
    await start({ SHUTDOWN_GRACE: '0.1' });
    const deaf = await fullListener();
    const [echo, other] = mesh.registry.list;
    if (!echo || !other) throw new Error('no entries');
    try {
      mesh.registry.list = [{ ...echo, endpoint: deaf.url }, other];
      await mesh.restart();
      const id = await mesh.queue('/echo', { method: 'POST', retry_unsafe: false });
      await mesh.recordWhen(id, ['running']);
      mesh.registry.list = [echo, other];
      await mesh.restart();
      expect(await mesh.recordWhen(id)).toMatchObject({ status: 'success', error: null });
      expect(mesh.echo.hits('/echo')).toBe(1);
    } finally {
      await deaf.stop();
    }
  });

  it('in good order is no interruption, however often it happens', async () => {
    await start({ SHUTDOWN_GRACE: '0.05' });
    const gate = hold();
    const id = await mesh.queue('/work');
    for (let life = 1; life <= 4; life++) {
      await until(() => mesh.echo.hits() === life);
      await mesh.restart();
    }
    gate.open();
    expect(await mesh.recordWhen(id)).toMatchObject({ status: 'success', attempts: 1 });
  });

  it('lets a running call end within the grace, and starts none that waits', async () => {
    await start({ SHUTDOWN_GRACE: '10', DROPLET_MAX_IN_FLIGHT: '1' });
    const gate = hold();
    const [first, second] = [await mesh.queue('/first'), await mesh.queue('/second')];
    await until(() => gate.held.length === 1);
    const leaving = mesh.orchestrator.leave();
    await until(() => !mesh.orchestrator.app.getHttpServer().listening);
    gate.open();
    await leaving;
    expect(mesh.echo.seen.map(({ url }) => url)).toEqual(['/first']);
    await mesh.revive();
    expect(await mesh.record(first)).toMatchObject({ status: 'success', attempts: 1 });
    expect(await mesh.recordWhen(second)).toMatchObject({ status: 'success', attempts: 1 });
  });

  it('a caller that waits for its task gets its receipt at once', async () => {
    await start({ SHUTDOWN_GRACE: '10' });
    const waiting = mesh.ask('/later', { delay_ms: 60_000 }, { prefer: 'wait=60' });
    await until(async () => (await mesh.list()).total === 1);
    const begin = performance.now();
    const leaving = mesh.orchestrator.leave();
    const { status, headers, json } = await waiting;
    expect([status, json.status, headers.get('location')]).toEqual([202, 'queued', `/orchestrator/tasks/${json.task_id}`]);
    await leaving;
    expect(performance.now() - begin).toBeLessThan(8000);
    await mesh.revive();
    expect((await mesh.record(json.task_id)).status).toBe('queued');
  });
});

describe('a task that nobody waits for', () => {
  it('runs on when its caller has long gone', async () => {
    await start();
    const gate = hold();
    const hangUp = new AbortController();
    const body = JSON.stringify({ droplet_name: 'echo', path: '/work' });
    const headers = { 'content-type': 'application/json', prefer: 'wait=60' };
    const call = fetch(`${mesh.orchestrator.url}/tasks`, { method: 'POST', headers, body, signal: hangUp.signal });
    await until(() => gate.held.length === 1);
    hangUp.abort();
    await expect(call).rejects.toThrow();
    gate.next(503);
    await until(() => gate.held.length === 1);
    gate.open();
    const { tasks } = await mesh.list();
    expect(await mesh.recordWhen(tasks[0].id)).toMatchObject({ status: 'success', attempts: 2 });
  });
});
