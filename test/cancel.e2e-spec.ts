import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { v7 } from 'uuid';
import { until } from './support/http.client.js';
import { reply, type Handler } from './support/server.js';
import { aMoment, Gate, TaskMesh } from './support/task.mesh.js';
import { expectError } from './support/udc.error.js';

describe('DELETE /tasks/{id}', () => {
  let mesh: TaskMesh;
  let paths: Handler;
  /** When the droplet saw the connection of a held call close. */
  let closedAt: number[];

  beforeAll(async () => {
    mesh = await TaskMesh.start({ DROPLET_MAX_IN_FLIGHT: '2' });
    paths = mesh.echo.handler;
  });
  beforeEach(() => {
    closedAt = [];
    mesh.echo.seen.length = 0;
    mesh.echo.handler = paths;
  });
  afterAll(() => mesh.stop());

  const hold = (): Gate => {
    const gate = new Gate();
    mesh.echo.handler = (seen, response) => {
      response.once('close', () => closedAt.push(performance.now()));
      gate.handler(seen, response);
    };
    return gate;
  };

  it('a queued task is cancelled and never sent', async () => {
    const id = await mesh.queue('/later', { delay_ms: 400, meta: { a: 'b' } });
    const { run_at } = await mesh.record(id);
    const { status, json } = await mesh.cancel(id);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      ...{ id, status: 'cancelled', attempts: 0, retry_count: 0, response_status: null, response_body: null, history: [] },
      ...{ meta: { a: 'b' }, completed_at: expect.any(Number), duration_ms: 0, error_message: expect.any(String) },
      error: { code: 'CANCELLED', details: { effect: 'none' } },
    });
    expect(await mesh.record(id)).toEqual(json);
    await until(() => Date.now() > Date.parse(run_at) + 100);
    await aMoment();
    expect(mesh.echo.hits()).toBe(0);
    expect((await mesh.record(id)).status).toBe('cancelled');
  });

  it('it stays cancelled over a restart', async () => {
    const id = await mesh.queue('/later', { delay_ms: 300 });
    await mesh.cancel(id);
    await mesh.restart();
    await aMoment();
    expect([(await mesh.record(id)).status, mesh.echo.hits('/later')]).toEqual(['cancelled', 0]);
  });

  it('a running one has its connection closed at once, and nobody knows what it did', async () => {
    const gate = hold();
    const id = await mesh.queue('/work', { method: 'POST' });
    await until(() => gate.held.length === 1);
    const asked = performance.now();
    const { status, json } = await mesh.cancel(id);
    await until(() => closedAt.length === 1);
    // The contract's 100 ms, and what a busy machine adds.
    expect((closedAt[0] ?? Infinity) - asked).toBeLessThan(1000);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      ...{ id, status: 'cancelled', attempts: 1, response_status: null, response_body: null },
      error: { code: 'CANCELLED', details: { effect: 'unknown' } },
    });
    expect(json.history).toEqual([
      expect.objectContaining({ attempt: 1, response_status: null, error_code: 'CANCELLED', effect: 'unknown' }),
    ]);
    expect(await mesh.record(id)).toEqual(json);
    await aMoment();
    expect(mesh.echo.hits()).toBe(1);
  });

  it('makes room: the next task of that droplet runs', async () => {
    const gate = hold();
    const ids = [await mesh.queue('/work'), await mesh.queue('/work'), await mesh.queue('/next')];
    await until(() => gate.held.length === 2);
    await mesh.cancel(ids[0] ?? '');
    await until(() => mesh.echo.hits('/next') === 1);
    gate.open();
    expect((await mesh.recordWhen(ids[2] ?? '')).status).toBe('success');
  });

  it('a task between two attempts keeps the history of what was tried', async () => {
    mesh.echo.handler = (_seen, response) => reply(response, 503, {}, { 'retry-after': '60' });
    const id = await mesh.queue('/busy');
    await until(async () => (await mesh.record(id)).attempts === 1);
    const { status, json } = await mesh.cancel(id);
    expect(status).toBe(200);
    expect(json).toMatchObject({ status: 'cancelled', attempts: 1, retry_count: 1, error: { details: { effect: 'unknown' } } });
    expect(json.history).toMatchObject([{ response_status: 503, error_code: 'DROPLET_ERROR' }]);
  });

  it('a synchronous one ends for its caller as cancelled', async () => {
    const gate = hold();
    const waiting = mesh.ask('/work', { method: 'POST' });
    await until(() => gate.held.length === 1);
    const id = String(mesh.echo.seen[0]?.headers['x-task-id']);
    const { status, json } = await mesh.cancel(id);
    expect([status, json.id, json.status]).toEqual([200, id, 'cancelled']);
    const answer = await waiting;
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({
      ...{ task_id: id, status: 'cancelled', response_status: null, response_body: null, attempts: 1 },
      error: { code: 'CANCELLED', details: { effect: 'unknown' } },
    });
    expect((await mesh.record(id)).status).toBe('cancelled');
    await until(() => closedAt.length === 1);
  });

  it('a synchronous one that waits for its next attempt ends at once', async () => {
    mesh.echo.handler = (_seen, response) => reply(response, 503, {}, { 'retry-after': '20' });
    const waiting = mesh.ask('/busy', { timeout_ms: 60_000 });
    await until(() => mesh.echo.hits() === 1);
    await aMoment();
    expect((await mesh.cancel(String(mesh.echo.seen[0]?.headers['x-task-id']))).status).toBe(200);
    expect((await waiting).json).toMatchObject({ status: 'cancelled', attempts: 1, retry_count: 1 });
    expect(mesh.echo.hits()).toBe(1);
  });

  it('ends the wait of Prefer: wait', async () => {
    const waiting = mesh.ask('/later', { delay_ms: 3_600_000, meta: { waits: 'here' } }, { prefer: 'wait=60' });
    const { tasks } = await until(async () => {
      const page = await mesh.list('?meta.waits=here');
      return page.total === 1 ? page : null;
    });
    await mesh.cancel(tasks[0].id);
    const { status, json } = await waiting;
    expect([status, json.status]).toEqual([200, 'cancelled']);
  });

  it('of a final task is 409 and changes nothing', async () => {
    const cancelled = await mesh.queue('/later', { delay_ms: 3_600_000 });
    await mesh.cancel(cancelled);
    const ids = [cancelled, (await mesh.ask('/echo')).json.task_id, (await mesh.ask('/status?code=404')).json.task_id];
    ids.push((await mesh.recordWhen(await mesh.queue('/echo'))).id);
    for (const id of ids) {
      const before = await mesh.record(id);
      expectError(await mesh.cancel(id), 409, 'CONFLICT');
      expect(await mesh.record(id)).toEqual(before);
    }
  });

  it.each([v7(), 'nonsense', '..%2f..'])('of an unknown task (%s) is 404', async (id) => {
    expectError(await mesh.cancel(id), 404, 'TASK_NOT_FOUND');
  });

  it('ten at once: one cancels, the others hear that it is over', async () => {
    const id = await mesh.queue('/later', { delay_ms: 3_600_000 });
    const answers = await Promise.all(Array.from({ length: 10 }, () => mesh.cancel(id)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 9 }, () => 409)]);
  });

  it('at any moment of a failing attempt, a task that was cancelled is not tried again', async () => {
    mesh.echo.handler = (_seen, response) => reply(response, 503, {});
    for (let round = 0; round < 20; round++) {
      const id = await mesh.queue(`/race${round}`, { max_attempts: 50 });
      await until(() => mesh.echo.hits(`/race${round}`) >= 1 + (round % 3));
      expect((await mesh.cancel(id)).json).toMatchObject({ status: 'cancelled' });
      const calls = mesh.echo.seen.filter(({ url }) => url === `/race${round}`).length;
      await aMoment();
      expect(mesh.echo.seen.filter(({ url }) => url === `/race${round}`)).toHaveLength(calls);
      expect((await mesh.record(id)).status).toBe('cancelled');
    }
  });

  it('is in none of the totals', async () => {
    const figures = async (): Promise<any> => (await mesh.orchestrator.get('/orchestrator/metrics')).json.tasks;
    const before = await figures();
    await mesh.cancel(await mesh.queue('/later', { delay_ms: 3_600_000 }));
    const after = await figures();
    expect([after.total, after.error, after.timeout]).toEqual([before.total, before.error, before.timeout]);
  });
});

it('in a crowd, a cancel tells of every call that was made, whoever hears of which commit first', async () => {
  const mesh = await TaskMesh.start();
  mesh.echo.handler = (_seen, response) => void setTimeout(() => reply(response, 200, {}), 50);
  const one = async (): Promise<string> => {
    const id = await mesh.queue('/pay', { method: 'POST' });
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 6));
    // On a busy machine it may be over by now.
    expect([200, 409]).toContain((await mesh.cancel(id)).status);
    return id;
  };
  const ids: string[] = [];
  for (let round = 0; round < 6; round++) ids.push(...(await Promise.all(Array.from({ length: 64 }, one))));
  await aMoment();
  const called = new Set(mesh.echo.seen.map(({ headers }) => headers['x-task-id']));
  const records = await Promise.all(ids.map((id) => mesh.record(id)));
  expect(records.filter(({ id, attempts }) => attempts === 0 && called.has(id))).toEqual([]);
  expect(records.filter(({ id, status }) => status === 'cancelled' && called.has(id)).length).toBeGreaterThan(0);
  await mesh.stop();
});
