import { afterEach, describe, expect, it } from '@jest/globals';
import { TestOrchestrator } from './support/orchestrator.js';
import { startDroplet } from './support/droplet.js';
import { until, type HttpAnswer } from './support/http.client.js';
import { entry, TestRegistry } from './support/registry.js';
import { reply } from './support/server.js';
import { aMoment, ASYNC, Gate, TaskMesh } from './support/task.mesh.js';
import { expectError } from './support/udc.error.js';

const NARROW = { DROPLET_MAX_IN_FLIGHT: '1', DROPLET_MAX_WAITING: '1' };

describe('the places of a droplet', () => {
  let mesh: TaskMesh;

  const start = async (settings: Record<string, string> = {}): Promise<Gate> => {
    mesh = await TaskMesh.start(settings);
    const gate = new Gate();
    mesh.echo.handler = gate.handler;
    return gate;
  };
  const waiting = async (): Promise<number> => {
    const { text } = await mesh.orchestrator.get('/metrics/prometheus');
    return Number(/^orchestrator_droplet_calls_waiting\{droplet="Echo"\} (\d+)$/m.exec(text)?.[1] ?? 0);
  };

  afterEach(() => mesh.stop());

  it('of 321 calls at once 64 are in flight, 256 wait, and the last is refused at once', async () => {
    const gate = await start();
    const asked = Array.from({ length: 320 }, () => mesh.ask('/work'));
    await until(() => gate.held.length === 64);
    await until(async () => (await waiting()) === 256);
    const { text } = await mesh.orchestrator.get('/metrics/prometheus');
    expect(text).toContain('orchestrator_droplet_calls_in_flight{droplet="Echo"} 64');
    const refused = await mesh.ask('/work');
    expectError(refused, 503, 'OVERLOADED');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect([gate.most, gate.held.length]).toEqual([64, 64]);
    const { droplet } = (await mesh.orchestrator.get('/orchestrator/droplets/echo')).json;
    expect(droplet.health).toMatchObject({ in_flight: 64, breaker: 'closed' });
    const ended = Promise.all(asked);
    let over = false;
    void ended.then(() => (over = true));
    await until(() => {
      while (gate.held.length > 0) gate.next();
      return over;
    }, 10_000);
    const answers = await ended;
    expect(answers.every(({ json }) => json.status === 'success' && json.attempts === 1)).toBe(true);
    expect(gate.most).toBe(64);
    expect(mesh.echo.hits()).toBe(320);
  });

  it('a caller whose deadline passes in the line gets 503 OVERLOADED, and nothing is recorded of it', async () => {
    const gate = await start(NARROW);
    const first = mesh.ask('/work');
    await until(() => gate.held.length === 1);
    expectError(await mesh.ask('/late', { timeout_ms: 100 }), 503, 'OVERLOADED');
    gate.open();
    await first;
    expect([mesh.echo.hits('/late'), (await mesh.list()).total]).toEqual([0, 1]);
  });

  it('a caller that is refused because of them has its Idempotency-Key free again', async () => {
    const gate = await start(NARROW);
    const first = mesh.ask('/work');
    await until(() => gate.held.length === 1);
    const key = { 'idempotency-key': 'late' };
    expectError(await mesh.ask('/late', { timeout_ms: 100 }, key), 503, 'OVERLOADED');
    expect((await mesh.list()).total).toBe(0);
    gate.open();
    await first;
    expect((await mesh.ask('/late', {}, key)).json).toMatchObject({ status: 'success' });
    expect(mesh.echo.hits('/late')).toBe(1);
  });

  it('a caller that hangs up in the line leaves it: its call is never made', async () => {
    const gate = await start(NARROW);
    const first = mesh.ask('/work');
    await until(() => gate.held.length === 1);
    const hangUp = new AbortController();
    const body = JSON.stringify({ droplet_name: 'echo', path: '/gone' });
    const headers = { 'content-type': 'application/json' };
    const url = `${mesh.orchestrator.url}/orchestrator/tasks`;
    const gone = fetch(url, { method: 'POST', body, headers, signal: hangUp.signal }).catch(() => 'gone');
    await until(async () => (await waiting()) === 1);
    hangUp.abort();
    expect(await gone).toBe('gone');
    await until(async () => (await waiting()) === 0);
    gate.open();
    await first;
    expect((await mesh.ask('/next')).json.status).toBe('success');
    expect([mesh.echo.hits('/gone'), (await mesh.list()).total]).toEqual([0, 2]);
  });

  it('a caller that waits in the line when the process ends is told to come again, not that its task failed', async () => {
    const gate = await start(NARROW);
    const first = mesh.ask('/work');
    await until(() => gate.held.length === 1);
    const second = mesh.ask('/never-called');
    await until(async () => (await waiting()) === 1);
    const left = mesh.orchestrator.leave();
    expectError(await second, 503, 'OVERLOADED');
    gate.open();
    expect((await first).json.status).toBe('success');
    await left;
    expect(mesh.echo.hits('/never-called')).toBe(0);
    await mesh.revive();
  });

  it('asynchronous tasks are never refused because of them, and wait for their turn', async () => {
    const gate = await start(NARROW);
    const first = mesh.ask('/work');
    await until(() => gate.held.length === 1);
    const ids = await Promise.all(Array.from({ length: 5 }, () => mesh.queue('/later')));
    const late = (await mesh.ask('/too-late', { timeout_ms: 100 }, ASYNC)).json.task_id;
    await aMoment();
    expect(gate.most).toBe(1);
    await until(async () => (await mesh.record(late)).created_at * 1000 + 200 < Date.now());
    gate.open();
    await first;
    for (const id of ids) expect(await mesh.recordWhen(id)).toMatchObject({ status: 'success', attempts: 1 });
    expect(await mesh.recordWhen(late)).toMatchObject({ status: 'timeout', attempts: 0, history: [] });
    expect([gate.most, mesh.echo.hits('/too-late')]).toEqual([1, 0]);
  });

  it('an asynchronous task that is cancelled in the line was never attempted', async () => {
    const gate = await start(NARROW);
    const first = mesh.ask('/work');
    await until(() => gate.held.length === 1);
    const id = await mesh.queue('/cancelled');
    await until(async () => (await waiting()) === 1);
    expect((await mesh.cancel(id)).json).toMatchObject({ status: 'cancelled', attempts: 0, retry_count: 0, history: [] });
    gate.open();
    await first;
    expect(mesh.echo.hits('/cancelled')).toBe(0);
  });

  it('an asynchronous task whose deadline passes in the line is a timeout that was never attempted', async () => {
    const gate = await start(NARROW);
    const first = mesh.ask('/work');
    await until(() => gate.held.length === 1);
    const record = await mesh.recordWhen(await mesh.queue('/late', { timeout_ms: 200 }));
    expect(record).toMatchObject({
      status: 'timeout',
      attempts: 0,
      error: { code: 'TIMEOUT', details: { stopped_by: 'deadline' } },
    });
    gate.open();
    await first;
    expect(mesh.echo.hits('/late')).toBe(0);
  });

  it('MAX_IN_FLIGHT bounds the calls to all droplets together, and each gets its turn', async () => {
    const gate = await start({ MAX_IN_FLIGHT: '2' });
    mesh.other.handler = gate.handler;
    const asked: Promise<HttpAnswer>[] = Array.from({ length: 6 }, () => mesh.ask('/busy'));
    await until(() => gate.held.length === 2);
    await until(async () => (await waiting()) === 4);
    asked.push(mesh.orchestrator.task({ droplet_name: 'other', path: '/busy' }));
    await until(async () =>
      (await mesh.orchestrator.get('/metrics/prometheus')).text.includes('droplet_calls_waiting{droplet="Other"} 1'),
    );
    for (let ended = 1; mesh.other.hits() === 0 && ended < 4; ended++) {
      const before = mesh.echo.hits() + mesh.other.hits();
      gate.next();
      await until(() => mesh.echo.hits() + mesh.other.hits() === before + 1);
    }
    expect(mesh.other.hits()).toBe(1);
    expect(mesh.echo.hits()).toBeLessThan(6);
    expect(gate.most).toBe(2);
    gate.open();
    expect((await Promise.all(asked)).every(({ json }) => json.status === 'success')).toBe(true);
  });
});

describe('one slow droplet among ten', () => {
  it('fills its own places, and the others answer as if it were not there', async () => {
    const droplet = await startDroplet();
    const paths = droplet.handler;
    const slow = new Gate();
    droplet.handler = (seen, response) => (seen.url === '/d0' ? slow.handler : paths)(seen, response);
    const names = Array.from({ length: 10 }, (_each, index) => `d${index}`);
    const registry = await TestRegistry.start(names.map((name, index) => entry(index + 10, name, droplet.url)));
    const orchestrator = await TestOrchestrator.start({ REGISTRY_URL: registry.url });
    const stuck = Array.from({ length: 330 }, () => orchestrator.task({ droplet_name: 'd0', path: '/d0' }));
    await until(() => slow.held.length === 64);
    const well = names
      .slice(1)
      .flatMap((droplet_name) =>
        Array.from({ length: 20 }, () => orchestrator.task({ droplet_name, path: '/echo', timeout_ms: 20_000 })),
      );
    // They end while every call to the slow one still hangs.
    expect((await Promise.all(well)).every(({ json }) => json.status === 'success')).toBe(true);
    expect([slow.held.length, slow.most]).toEqual([64, 64]);
    const { json } = await orchestrator.get('/orchestrator/droplets');
    const health = Object.fromEntries(json.droplets.map((each: any) => [each.name, each.health]));
    expect(health.d0).toMatchObject({ in_flight: 64, success_rate_percent: null, p95_ms: null, state: 'unknown' });
    expect(health.d1).toMatchObject({ in_flight: 0, success_rate_percent: 100, state: 'up', breaker: 'closed' });
    slow.open();
    const refused = (await Promise.all(stuck)).filter(({ status }) => status === 503);
    expect(refused).toHaveLength(10);
    for (const answer of refused) expectError(answer, 503, 'OVERLOADED');
    await orchestrator.stop();
    await registry.stop();
    await droplet.stop();
  });
});

describe('RESPONSE_BUFFER_LIMIT', () => {
  it('while the answers that are being read take it all, new callers are refused, and those that read come to their end', async () => {
    const mesh = await TaskMesh.start({ RESPONSE_BUFFER_LIMIT: '1048576' });
    const half = 'x'.repeat(700_000);
    const ends: (() => void)[] = [];
    mesh.echo.handler = (_seen, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.write(half);
      ends.push(() => response.end(half));
    };
    const reading = [mesh.ask('/big'), mesh.ask('/big'), mesh.ask('/big')];
    await until(() => ends.length === 3);
    const refused = await until(async () => {
      const answer = await mesh.orchestrator.task({ droplet_name: 'other', path: '/echo' });
      return answer.status === 503 ? answer : null;
    });
    expectError(refused, 503, 'OVERLOADED');
    for (const end of ends) end();
    const answers = await Promise.all(reading);
    expect(answers.map(({ json }) => [json.status, json.attempts, json.response_body.length])).toEqual(
      Array.from({ length: 3 }, () => ['success', 1, 1_400_000]),
    );
    expect((await mesh.orchestrator.task({ droplet_name: 'other', path: '/echo' })).json.status).toBe('success');
    await mesh.stop();
  });

  it('while they do, asynchronous tasks are not sent: they wait, and are sent once when there is room again', async () => {
    const mesh = await TaskMesh.start({ RESPONSE_BUFFER_LIMIT: '1048576' });
    let end = (): void => undefined;
    mesh.echo.handler = (_seen, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' }).write('x'.repeat(1_200_000));
      end = () => void response.end();
    };
    const later = { droplet_name: 'other', path: '/echo?later', method: 'POST', payload: {} };
    const reading = mesh.ask('/big');
    await until(async () => (await mesh.orchestrator.task({ droplet_name: 'other', path: '/echo' })).status === 503);
    const ids = await Promise.all(Array.from({ length: 3 }, () => mesh.queue('', later)));
    await until(async () =>
      (await mesh.orchestrator.get('/metrics/prometheus')).text.includes('droplet_calls_waiting{droplet="Other"} 3'),
    );
    await aMoment();
    expect(mesh.other.hits('/echo?later')).toBe(0);
    end();
    expect((await reading).json.status).toBe('success');
    for (const id of ids) expect(await mesh.recordWhen(id)).toMatchObject({ status: 'success', attempts: 1 });
    expect(mesh.other.hits('/echo?later')).toBe(3);
    await mesh.stop();
  });

  it('an answer that is cut off gives back what it held', async () => {
    const mesh = await TaskMesh.start({ RESPONSE_BUFFER_LIMIT: '1048576', RESPONSE_LIMIT: '600000', TASK_MAX_RETRIES: '1' });
    mesh.echo.handler = (seen, response) => {
      if (seen.url === '/small') return reply(response, 200, {});
      response.writeHead(200);
      response.write('x'.repeat(seen.url === '/endless' ? 900_000 : 500_000));
    };
    for (let round = 0; round < 4; round++) {
      expect((await mesh.ask('/endless')).json.error.code).toBe('RESPONSE_TOO_LARGE');
      expect((await mesh.ask('/stalled', { timeout_ms: 150 })).json.error.code).toBe('TIMEOUT');
    }
    expect((await mesh.ask('/small')).json.status).toBe('success');
    await mesh.stop();
  });
});
