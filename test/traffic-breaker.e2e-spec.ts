import { afterEach, describe, expect, it } from '@jest/globals';
import { until } from './support/http.client.js';
import { reply } from './support/server.js';
import { aMoment, Gate, TaskMesh } from './support/task.mesh.js';
import { expectError } from './support/udc.error.js';

/** Opens at four calls of which half failed, and stays open long enough to be looked at. */
const BRITTLE = { BREAKER_MIN_CALLS: '4', BREAKER_OPEN_MS: '60000', TASK_MAX_RETRIES: '1' };
const SOON = { ...BRITTLE, BREAKER_OPEN_MS: '300' };

let mesh: TaskMesh;

afterEach(() => mesh.stop());

const start = async (settings: Record<string, string>): Promise<void> => {
  mesh = await TaskMesh.start(settings);
};
const failWith = (status: number): void => {
  mesh.echo.handler = (_seen, response) => reply(response, status, { busy: true });
};
const breaker = async (): Promise<string> =>
  (await mesh.orchestrator.get('/orchestrator/droplets/Echo')).json.droplet.health.breaker;
/** Four failures; nothing more is made known to the droplet. */
const breakIt = async (): Promise<void> => {
  failWith(503);
  for (let count = 0; count < 4; count++) await mesh.ask('/x', { max_attempts: 1 });
  expect(await breaker()).toBe('open');
  mesh.echo.seen.length = 0;
};
const totals = async (): Promise<any> => (await mesh.orchestrator.get('/orchestrator/metrics')).json.tasks.total;

describe('a droplet that keeps failing', () => {
  it('is not called any more: 503 CIRCUIT_OPEN with Retry-After, no task, in no total', async () => {
    await start(BRITTLE);
    await breakIt();
    const before = [await totals(), (await mesh.list()).total];
    const refused = await mesh.ask('/x');
    expect(expectError(refused, 503, 'CIRCUIT_OPEN').error.details).toEqual({ droplet: 'Echo', reason: 'breaker' });
    const wait = Number(refused.headers.get('retry-after'));
    expect(wait).toBeGreaterThanOrEqual(1);
    expect(wait).toBeLessThanOrEqual(60);
    expect([await totals(), (await mesh.list()).total]).toEqual(before);
    expect(mesh.echo.hits()).toBe(0);
    const { text } = await mesh.orchestrator.get('/orchestrator/metrics/prometheus');
    expect(text).toContain('orchestrator_http_errors_total{method="POST",route="/tasks",code="CIRCUIT_OPEN"} 1');
    expect(text).toContain('orchestrator_droplet_breaker_state{droplet="Echo",state="open"} 1');
    expect(text).toContain('orchestrator_droplet_breaker_state{droplet="Echo",state="closed"} 0');
  });

  it('does no harm to another one', async () => {
    await start(BRITTLE);
    await breakIt();
    const { json } = await mesh.orchestrator.task({ droplet_name: 'other', path: '/echo' });
    expect(json.status).toBe('success');
  });

  it('frees the Idempotency-Key of a caller that it refuses', async () => {
    await start(BRITTLE);
    await breakIt();
    const key = { 'idempotency-key': 'once' };
    const meta = { seen: 'never' };
    expectError(await mesh.ask('/x', { meta }, key), 503, 'CIRCUIT_OPEN');
    expectError(await mesh.ask('/x', { meta }, key), 503, 'CIRCUIT_OPEN');
    expect((await mesh.list('?meta.seen=never')).total).toBe(0);
    await mesh.orchestrator.post('/orchestrator/droplets/echo/breaker', { state: 'closed' });
    mesh.echo.handler = (_seen, response) => reply(response, 200, {});
    const taken = await mesh.ask('/x', { meta }, key);
    expect(taken.json.status).toBe('success');
    expect(taken.headers.get('idempotency-replayed')).toBeNull();
    const again = await mesh.ask('/x', { meta }, key);
    expect([again.json.task_id, again.headers.get('idempotency-replayed')]).toEqual([taken.json.task_id, 'true']);
    expect(mesh.echo.hits()).toBe(1);
  });

  it('still gives what an Idempotency-Key stands for', async () => {
    await start(BRITTLE);
    const key = { 'idempotency-key': 'done' };
    const { json } = await mesh.ask('/echo', {}, key);
    await breakIt();
    const replayed = await mesh.ask('/echo', {}, key);
    expect([replayed.status, replayed.json.task_id]).toEqual([200, json.task_id]);
    expect(mesh.echo.hits()).toBe(0);
  });

  it('stops the retries of a task that it fails meanwhile: the last outcome stands, stopped_by breaker', async () => {
    await start({ ...BRITTLE, TASK_MAX_RETRIES: '10' });
    failWith(503);
    const { json } = await mesh.ask('/x');
    expect(json).toMatchObject({ status: 'error', response_status: 503, attempts: 4, retry_count: 4 });
    expect(json.error).toMatchObject({ code: 'DROPLET_ERROR', details: { effect: 'unknown', stopped_by: 'breaker' } });
  });

  it.each([
    ['4xx', '/status?code=429', {}],
    ['answers that are too large', '/body?text=' + 'x'.repeat(2000), {}],
    ['calls that the deadline of their task cut short', '/never', { timeout_ms: 100 }],
  ])('is not one that gives %s', async (_title, path, more) => {
    await start({ ...BRITTLE, RESPONSE_LIMIT: '1000' });
    for (let count = 0; count < 6; count++) await mesh.ask(path, more);
    expect(await breaker()).toBe('closed');
  });

  it.each([
    ['resets', '/reset', {}],
    ['attempts that time out', '/never', { attempt_timeout_ms: 100 }],
  ])('is one that gives %s', async (_title, path, more) => {
    await start(BRITTLE);
    for (let count = 0; count < 4; count++) await mesh.ask(path, more);
    expect(await breaker()).toBe('open');
  });

  it('is asked by one of two hundred callers whether it is back, and then by all', async () => {
    await start(SOON);
    await breakIt();
    const gate = new Gate();
    mesh.echo.handler = gate.handler;
    await until(async () => (await breaker()) === 'half-open');
    let refused = 0;
    const asked = Array.from({ length: 200 }, async () => {
      const answer = await mesh.ask('/probe');
      if (answer.status === 503) refused++;
      return answer;
    });
    await until(() => refused === 199);
    expect([gate.most, mesh.echo.hits()]).toEqual([1, 1]);
    gate.open();
    const answers = await Promise.all(asked);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ json }) => json.error?.code === 'CIRCUIT_OPEN')).toHaveLength(199);
    expect(await breaker()).toBe('closed');
    const all = await Promise.all(Array.from({ length: 50 }, () => mesh.ask('/back')));
    expect(all.every(({ json }) => json.status === 'success')).toBe(true);
  });

  it('that fails the probe is left alone again', async () => {
    await start(SOON);
    await breakIt();
    await until(async () => (await breaker()) === 'half-open');
    expect((await mesh.ask('/probe')).json).toMatchObject({ status: 'error', response_status: 503 });
    expectError(await mesh.ask('/x'), 503, 'CIRCUIT_OPEN');
    expect(mesh.echo.hits()).toBe(1);
  });
});

describe('asynchronous tasks for a droplet that keeps failing', () => {
  it('wait without an attempt, and come back one by one before they come in numbers', async () => {
    await start({ ...BRITTLE, BREAKER_OPEN_MS: '1000' });
    await breakIt();
    const gate = new Gate();
    mesh.echo.handler = gate.handler;
    const ids = await Promise.all(Array.from({ length: 40 }, () => mesh.queue('/later')));
    await aMoment();
    expect(mesh.echo.hits()).toBe(0);
    expect(await mesh.record(ids[0]!)).toMatchObject({ status: 'queued', attempts: 0, history: [] });
    await until(() => gate.held.length === 1);
    await aMoment();
    expect(gate.held).toHaveLength(1);
    gate.next();
    await until(() => gate.held.length > 0);
    expect(gate.most).toBeLessThanOrEqual(8);
    await until(() => gate.held.length > 8);
    gate.open();
    for (const id of ids) expect(await mesh.recordWhen(id)).toMatchObject({ status: 'success', attempts: 1, retry_count: 0 });
    expect(mesh.echo.hits()).toBe(40);
  });

  it('that were on their way when it opened wait too: what they spent is their own attempts only', async () => {
    await start({ ...SOON, ASYNC_MAX_RETRIES: '50' });
    failWith(503);
    const ids = await Promise.all(Array.from({ length: 8 }, () => mesh.queue('/work')));
    await until(async () => (await breaker()) !== 'closed');
    mesh.echo.handler = (_seen, response) => reply(response, 200, {});
    const records = await Promise.all(ids.map((id) => mesh.recordWhen(id)));
    expect(records.every(({ status }) => status === 'success')).toBe(true);
    expect(records.reduce((sum: number, { attempts }: { attempts: number }) => sum + attempts, 0)).toBe(mesh.echo.hits());
  });
});
