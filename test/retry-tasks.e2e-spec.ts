import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { v7 } from 'uuid';
import { until } from './support/http.client.js';
import { reply, type Handler } from './support/server.js';
import { TaskMesh } from './support/task.mesh.js';
import { expectError } from './support/udc.error.js';

let mesh: TaskMesh;
let paths: Handler;
let isBroken: boolean;

const start = async (): Promise<void> => {
  mesh = await TaskMesh.start({ ASYNC_MAX_RETRIES: '2' });
  paths = mesh.echo.handler;
};
const breakIt = (): void => {
  isBroken = true;
  mesh.echo.seen.length = 0;
  mesh.echo.handler = (_seen, response) =>
    isBroken ? reply(response, 500, { broken: true }) : reply(response, 200, { ok: true });
};

const failed = async (path: string, more: object = {}): Promise<any> => mesh.recordWhen(await mesh.queue(path, more));
const figures = async (): Promise<any> => (await mesh.orchestrator.get('/orchestrator/metrics')).json;

describe('POST /tasks/{id}/retry', () => {
  beforeAll(start);
  beforeEach(breakIt);
  afterAll(() => mesh.stop());

  it('runs a failed task again under its id; its history goes on', async () => {
    const before = await failed('/work', {
      method: 'POST',
      payload: { n: 1 },
      headers: { 'X-Own': 'mine' },
      meta: { a: 'b' },
      priority: 3,
    });
    expect(before).toMatchObject({ status: 'error', response_status: 500, attempts: 2, retry_count: 2 });
    isBroken = false;
    const { status, json } = await mesh.retry(before.id);
    expect(status).toBe(202);
    expect(json).toMatchObject({
      ...{ id: before.id, status: 'queued', error: null, error_message: null, response_status: null, response_body: null },
      ...{ completed_at: null, duration_ms: null, attempts: 2, history: before.history, run_at: expect.any(String) },
    });
    const after = await mesh.recordWhen(before.id);
    expect(after).toMatchObject({
      ...{ status: 'success', response_status: 200, response_body: { ok: true }, attempts: 3, retry_count: 2, error: null },
      ...{ created_at: before.created_at, meta: { a: 'b' }, priority: 3 },
    });
    expect(after.history.slice(0, 2)).toEqual(before.history);
    expect(after.history.map(({ attempt }: any) => attempt)).toEqual([1, 2, 3]);
    for (const { method, body, headers } of mesh.echo.seen) {
      expect([method, body, headers['x-own'], headers['x-task-id']]).toEqual(['POST', '{"n":1}', 'mine', before.id]);
    }
  });

  it('has all its attempts anew, and its time', async () => {
    const { id } = await failed('/work', { max_attempts: 2, timeout_ms: 60_000 });
    await mesh.retry(id);
    const after = await until(async () => {
      const record = await mesh.record(id);
      return record.status === 'error' && record.attempts > 2 ? record : null;
    });
    expect(after).toMatchObject({ attempts: 4, retry_count: 4, error: { details: { stopped_by: 'attempts' } } });
    expect(Number(mesh.echo.seen.at(2)?.headers['x-task-deadline-ms'])).toBeGreaterThan(50_000);
  });

  it('runs a synchronous failure, a timeout and a cancelled task again', async () => {
    const sync = (await mesh.ask('/work', { method: 'PUT', payload: [1] })).json.task_id;
    mesh.echo.handler = paths;
    const timeout = (await failed('/never', { attempt_timeout_ms: 100, max_attempts: 1 })).id;
    const cancelled = await mesh.queue('/echo', { delay_ms: 3_600_000 });
    await mesh.cancel(cancelled);
    mesh.echo.handler = (_seen, response) => reply(response, 200, { ok: true });
    for (const id of [sync, timeout, cancelled]) {
      expect((await mesh.retry(id)).status).toBe(202);
      expect(await mesh.recordWhen(id)).toMatchObject({ status: 'success', response_body: { ok: true } });
    }
    expect(mesh.echo.seen.filter(({ headers }) => headers['x-task-id'] === sync).at(-1)).toMatchObject({
      method: 'PUT',
      body: '[1]',
    });
  });

  it('works after a restart', async () => {
    const { id } = await failed('/work', { payload: 'kept', method: 'POST' });
    await mesh.restart();
    isBroken = false;
    expect((await mesh.retry(id)).status).toBe(202);
    expect(await mesh.recordWhen(id)).toMatchObject({ status: 'success', attempts: 3 });
    expect(mesh.echo.seen.at(-1)?.body).toBe('"kept"');
  });

  it('counts the task under its latest outcome', async () => {
    const { id } = await failed('/work');
    const before = await figures();
    isBroken = false;
    await mesh.retry(id);
    await mesh.recordWhen(id, ['success']);
    const after = await figures();
    const change = (of: (figures: any) => number): number => of(after) - of(before);
    expect([
      change(({ tasks }) => tasks.total),
      change(({ tasks }) => tasks.success),
      change(({ tasks }) => tasks.error),
    ]).toEqual([0, 1, -1]);
    expect(change(({ retry }) => retry.retry_final_fail_count)).toBe(-1);
    expect(change(({ retry }) => retry.retry_success_count)).toBe(1);
  });

  it('is 409 for a success', async () => {
    isBroken = false;
    const ids = [(await mesh.ask('/x')).json.task_id, (await mesh.recordWhen(await mesh.queue('/x'))).id];
    for (const id of ids) {
      const refused = await mesh.retry(id);
      expectError(refused, 409, 'CONFLICT');
      expect(refused.json.error.message).toBe('A task that is success cannot be run again');
    }
    expect(mesh.echo.hits()).toBe(2);
  });

  it('is 409 for one that waits or runs', async () => {
    expectError(await mesh.retry(await mesh.queue('/x', { delay_ms: 3_600_000 })), 409, 'CONFLICT');
    const gate = mesh.hold();
    const id = await mesh.queue('/x');
    await until(() => gate.held.length === 1);
    expectError(await mesh.retry(id), 409, 'CONFLICT');
    gate.open();
    expect(await mesh.recordWhen(id)).toMatchObject({ status: 'success', attempts: 1 });
  });

  it('is 409 for one that carried Authorization, whose value is kept nowhere', async () => {
    const { json } = await mesh.ask('/x', { headers: { Authorization: 'Bearer top-secret', 'X-Own': 'y' } });
    expect(json.status).toBe('error');
    expect(mesh.echo.seen[0]?.headers.authorization).toBe('Bearer top-secret');
    const calls = mesh.echo.hits();
    expectError(await mesh.retry(json.task_id), 409, 'CONFLICT');
    expect((await mesh.orchestrator.get(`/tasks/${json.task_id}`)).text).not.toContain('top-secret');
    expect(mesh.echo.hits()).toBe(calls);
  });

  it.each([v7(), 'nonsense'])('is 404 for an unknown one (%s)', async (id) => {
    expectError(await mesh.retry(id), 404, 'TASK_NOT_FOUND');
  });

  it('ten at once run it once', async () => {
    const { id } = await failed('/work');
    isBroken = false;
    mesh.echo.seen.length = 0;
    const answers = await Promise.all(Array.from({ length: 10 }, () => mesh.retry(id)));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    await mesh.recordWhen(id, ['success']);
    expect(mesh.echo.hits()).toBe(1);
  });
});

const retryMany = async (body?: unknown): Promise<any> => {
  const { status, json } = await mesh.orchestrator.post('/orchestrator/tasks/retry', body);
  return { status, ...json };
};

describe('POST /tasks/retry', () => {
  beforeEach(async () => {
    await start();
    breakIt();
  });
  afterEach(() => mesh.stop());

  const waiting = async (meta: string): Promise<number> => (await mesh.list(`?meta.run=${meta}&status=success`)).total;
  const fail = async (count: number, run: string, more: object = {}): Promise<string[]> => {
    const ids = await Promise.all(
      Array.from({ length: count }, () => mesh.queue('/many', { meta: { run }, max_attempts: 1, ...more })),
    );
    for (const id of ids) await mesh.recordWhen(id);
    return ids;
  };

  it('runs all that failed again and says how many', async () => {
    await fail(5, 'all');
    isBroken = false;
    expect(await retryMany({})).toEqual({ status: 202, scheduled: 5 });
    await until(async () => (await waiting('all')) === 5);
    expect(await retryMany({})).toEqual({ status: 202, scheduled: 0 });
  });

  it('needs no body', async () => {
    await fail(2, 'bare');
    expect(await retryMany()).toEqual({ status: 202, scheduled: 2 });
  });

  it('takes more than one page of them', async () => {
    await fail(230, 'pages');
    isBroken = false;
    expect(await retryMany({ limit: 225 })).toEqual({ status: 202, scheduled: 225 });
    await until(async () => (await waiting('pages')) === 225, 15_000);
    expect(await retryMany({})).toEqual({ status: 202, scheduled: 5 });
  });

  it('only those of a status: cancelled ones when they are asked for', async () => {
    const id = await mesh.queue('/many', { delay_ms: 3_600_000, meta: { run: 'status' } });
    await mesh.cancel(id);
    const [error] = await fail(1, 'status');
    isBroken = false;
    expect(await retryMany({ status: 'timeout' })).toMatchObject({ scheduled: 0 });
    expect(await retryMany({ status: 'cancelled' })).toMatchObject({ scheduled: 1 });
    await mesh.recordWhen(id, ['success']);
    expect((await mesh.record(error ?? '')).status).toBe('error');
    expect(await retryMany({ status: 'error' })).toMatchObject({ scheduled: 1 });
  });

  it('only those of a droplet, and of a time', async () => {
    await fail(2, 'filters');
    const middle = Date.now();
    await until(() => Date.now() > middle + 5);
    await fail(1, 'filters');
    isBroken = false;
    expect(await retryMany({ droplet_name: 'other' })).toMatchObject({ scheduled: 0 });
    expect(await retryMany({ droplet_name: 'ECHO', created_after: middle / 1000 + 3600 })).toMatchObject({ scheduled: 0 });
    expect(await retryMany({ created_after: new Date(middle).toISOString() })).toMatchObject({ scheduled: 1 });
    expect(await retryMany({ droplet_name: 'ECHO', created_before: middle / 1000 })).toMatchObject({ scheduled: 2 });
    await until(async () => (await waiting('filters')) === 3);
  });

  it('at the rate that was asked for', async () => {
    await fail(4, 'rate');
    isBroken = false;
    mesh.echo.seen.length = 0;
    expect(await retryMany({ rate_per_second: 5 })).toMatchObject({ scheduled: 4 });
    await until(async () => (await waiting('rate')) === 4);
    const times = mesh.echo.seen.map(({ at }) => at);
    expect((times[3] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(550);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(100);
  });

  it('leaves out what carried Authorization', async () => {
    const { json } = await mesh.ask('/many', { headers: { authorization: 'Bearer x' } });
    isBroken = false;
    expect(await retryMany({})).toMatchObject({ scheduled: 0 });
    expect((await mesh.record(json.task_id)).status).toBe('error');
  });
});

describe('POST /tasks/retry of what makes no sense', () => {
  beforeAll(async () => {
    await start();
    breakIt();
    await failed('/work', { max_attempts: 1 });
  });
  afterAll(() => mesh.stop());

  it.each<[string, object]>([
    ['status', { status: 'success' }],
    ['status', { status: 'running' }],
    ['limit', { limit: 0 }],
    ['limit', { limit: 1.5 }],
    ['rate_per_second', { rate_per_second: 0 }],
    ['rate_per_second', { rate_per_second: 'fast' }],
    ['created_after', { created_after: 'yesterday' }],
    ['created_before', { created_before: {} }],
    ['droplet_name', { droplet_name: '' }],
  ])('a wrong %s in %j is 400 that names it, and nothing runs', async (field, body) => {
    const answer = await mesh.orchestrator.post('/orchestrator/tasks/retry', body);
    expectError(answer, 400, 'INVALID_REQUEST');
    expect(answer.json.error.details.errors[0].field).toBe(field);
    expect((await mesh.list('?status=error')).total).toBe(1);
    expect(mesh.echo.hits()).toBe(1);
  });
});
