import { afterEach, describe, expect, it } from '@jest/globals';
import { NOT_CALLED_YET } from './support/droplet.js';
import { until } from './support/http.client.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { reply } from './support/server.js';
import { aMoment, TaskMesh } from './support/task.mesh.js';
import { expectError } from './support/udc.error.js';

let mesh: TaskMesh;

afterEach(() => mesh.stop());

const start = async (settings: Record<string, string> = {}): Promise<void> => {
  mesh = await TaskMesh.start(settings);
};
const order = (key: string, verb: string, body?: unknown) =>
  mesh.orchestrator.post(`/orchestrator/droplets/${key}/${verb}`, body);
const healthOf = async (name: string): Promise<any> =>
  (await mesh.orchestrator.get('/orchestrator/droplets')).json.droplets.find((each: any) => each.name === name).health;

describe('an operator', () => {
  it('pauses a droplet: callers get 503 CIRCUIT_OPEN, and it gets no call until it is resumed', async () => {
    await start();
    const paused = await order('echo', 'pause');
    expect(paused.status).toBe(200);
    expect(paused.json).toEqual({
      droplet: expect.objectContaining({
        id: 3,
        name: 'Echo',
        health: expect.objectContaining({ breaker: 'paused', state: 'down' }),
      }),
      timestamp: expect.stringMatching(/Z$/),
    });
    const refused = await mesh.ask('/echo');
    expect(expectError(refused, 503, 'CIRCUIT_OPEN').error.details).toEqual({ droplet: 'Echo', reason: 'paused' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await mesh.orchestrator.task({ droplet_name: 'other', path: '/echo' })).json.status).toBe('success');
    expect(mesh.echo.hits()).toBe(0);
    expect((await order('3', 'resume')).json.droplet.health.breaker).toBe('closed');
    expect((await mesh.ask('/echo')).json.status).toBe('success');
  });

  it('pauses a droplet, also for good: asynchronous tasks and the pause outlive the process', async () => {
    await start();
    await order('ECHO', 'pause');
    const id = await mesh.queue('/later');
    await mesh.restart();
    expect(await healthOf('Echo')).toMatchObject({ breaker: 'paused' });
    expectError(await mesh.ask('/echo'), 503, 'CIRCUIT_OPEN');
    await aMoment();
    expect(await mesh.record(id)).toMatchObject({ status: 'queued', attempts: 0 });
    expect(mesh.echo.hits()).toBe(0);
    mesh.echo.handler = (_seen, response) => reply(response, 200, {});
    await order('echo', 'resume');
    expect(await mesh.recordWhen(id)).toMatchObject({ status: 'success', attempts: 1 });
    await mesh.restart();
    expect((await mesh.ask('/echo')).json.status).toBe('success');
  });

  it('a pause in the middle of a task ends its retries, and the outcome of its last attempt stands', async () => {
    await start({ RETRY_BACKOFF_BASE_MS: '300', RETRY_BACKOFF_MAX_MS: '300' });
    mesh.echo.handler = (_seen, response) => reply(response, 503, {});
    const asked = mesh.ask('/x');
    await until(() => mesh.echo.hits() === 1);
    await order('echo', 'pause');
    expect((await asked).json).toMatchObject({ status: 'error', attempts: 1, error: { details: { stopped_by: 'breaker' } } });
  });

  it('a pause that outlasts the deadline of a task that waits: the outcome of its last attempt stands', async () => {
    await start({ ASYNC_BACKOFF_BASE_MS: '300', ASYNC_BACKOFF_MAX_MS: '300' });
    mesh.echo.handler = (_seen, response) => reply(response, 503, { busy: true });
    const id = await mesh.queue('/x', { timeout_ms: 1000 });
    const waits = await until(async () => {
      const record = await mesh.record(id);
      return record.attempts === 1 && record.status === 'queued' ? record : null;
    });
    await order('echo', 'pause');
    expect(waits).toMatchObject({ response_status: null, response_body: null, error: null, error_message: null });
    expect((await mesh.list()).tasks[0]).toMatchObject({ response_status: null, response_body: null, error: null });
    await until(() => Date.now() > Date.parse(waits.run_at) + 1100);
    await order('echo', 'resume');
    expect(await mesh.recordWhen(id)).toMatchObject({
      ...{ status: 'error', response_status: 503, response_body: { busy: true }, attempts: 1, retry_count: 1 },
      error: { code: 'DROPLET_ERROR', details: { stopped_by: 'deadline', effect: 'unknown' } },
    });
  });

  it('holds a breaker open, holds it closed, or lets it decide by itself again; that too is durable', async () => {
    await start({ BREAKER_MIN_CALLS: '2', TASK_MAX_RETRIES: '1' });
    expect((await order('echo', 'breaker', { state: 'open' })).json.droplet.health.breaker).toBe('open');
    await mesh.restart();
    expect(expectError(await mesh.ask('/echo'), 503, 'CIRCUIT_OPEN').error.details.reason).toBe('breaker');
    expect((await order('echo', 'breaker', { state: 'closed' })).json.droplet.health.breaker).toBe('closed');
    mesh.echo.handler = (_seen, response) => reply(response, 503, {});
    for (let count = 0; count < 5; count++) expect((await mesh.ask('/x')).status).toBe(200);
    await order('echo', 'breaker', { state: 'auto' });
    expect((await mesh.ask('/x')).status).toBe(200);
    expectError(await mesh.ask('/x'), 503, 'CIRCUIT_OPEN');
    expect(mesh.echo.hits()).toBe(6);
  });

  it('says two things at once, and both hold', async () => {
    await start();
    await Promise.all([order('echo', 'pause'), order('echo', 'breaker', { state: 'open' })]);
    await order('echo', 'resume');
    expect(await healthOf('Echo')).toMatchObject({ breaker: 'open' });
    await order('echo', 'breaker', { state: 'auto' });
    expect(await healthOf('Echo')).toMatchObject({ breaker: 'closed' });
  });

  it.each(['pause', 'resume', 'breaker'])('%s of a droplet that is not known is 404', async (verb) => {
    await start();
    expectError(await order('nobody', verb, { state: 'open' }), 404, 'DROPLET_NOT_FOUND');
  });

  it.each([{ state: 'half-open' }, { state: 'OPEN' }, { state: null }, {}, [], undefined])(
    'a breaker state of %j is 400 and changes nothing',
    async (body) => {
      await start();
      expectError(await order('echo', 'breaker', body), 400, 'INVALID_REQUEST');
      expect(await healthOf('Echo')).toMatchObject({ breaker: 'closed' });
    },
  );

  it('holds droplets of the built-in Registry as well, itself included', async () => {
    await start();
    const orchestrator = await TestOrchestrator.start();
    const paused = await orchestrator.post('/droplets/orchestrator/pause');
    expect(paused.json.droplet.health.breaker).toBe('paused');
    expectError(await orchestrator.task({ droplet_name: 'orchestrator', path: '/health' }), 503, 'CIRCUIT_OPEN');
    await orchestrator.stop();
  });
});

describe('the health of a droplet', () => {
  it('is unknown before its first call', async () => {
    await start();
    expect(await healthOf('Echo')).toEqual(NOT_CALLED_YET);
  });

  it('is up, degraded or down by how its calls of the last minute went', async () => {
    await start({ TASK_MAX_RETRIES: '1' });
    await mesh.ask('/slow?ms=60');
    const up = await healthOf('Echo');
    expect(up).toMatchObject({ state: 'up', success_rate_percent: 100, in_flight: 0 });
    expect(up.p95_ms).toBeGreaterThanOrEqual(55);
    await mesh.ask('/status?code=404');
    expect(await healthOf('Echo')).toMatchObject({ state: 'up', success_rate_percent: 100 });
    await mesh.ask('/status?code=500');
    expect(await healthOf('Echo')).toMatchObject({ state: 'degraded', success_rate_percent: 66.67 });
    await mesh.orchestrator.task({ droplet_name: 'other', path: '/reset' });
    expect(await healthOf('Other')).toMatchObject({ state: 'down', success_rate_percent: 0 });
  });

  it('stands beside each droplet, however it is asked for', async () => {
    await start();
    await mesh.ask('/echo');
    for (const key of ['3', 'Echo', 'echo', 'name/Echo']) {
      const { json } = await mesh.orchestrator.get(`/orchestrator/droplets/${key}`);
      expect(json.droplet.health).toMatchObject({ state: 'up', breaker: 'closed' });
    }
  });
});
