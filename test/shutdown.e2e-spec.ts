import { Agent, request, type IncomingMessage } from 'node:http';
import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startDroplet } from './support/droplet.js';
import { until } from './support/http.client.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { RawConnection } from './support/raw.client.js';
import { entry, TestRegistry } from './support/registry.js';
import type { TestServer } from './support/server.js';

const JSON_TYPE = { 'content-type': 'application/json' };

let droplet: TestServer;
let registry: TestRegistry;
let orchestrator: TestOrchestrator;
let connections: RawConnection[];

beforeEach(async () => {
  connections = [];
  droplet = await startDroplet();
  registry = await TestRegistry.start([entry(3, 'echo', droplet.url)]);
});

afterEach(async () => {
  for (const connection of connections) connection.destroy();
  await registry.stop();
  await droplet.stop();
});

const start = async (settings: Record<string, string> = {}): Promise<void> => {
  orchestrator = await TestOrchestrator.start({ REGISTRY_URL: registry.url, ...settings });
};

const connect = async (): Promise<RawConnection> => {
  const connection = await RawConnection.open(orchestrator.url);
  connections.push(connection);
  return connection;
};

const task = (path: string, more: object = {}): string => JSON.stringify({ droplet_name: 'echo', path, ...more });

/** What the next life of the orchestrator finds in the store; ends that life and removes the folder. */
async function recordsOfNextLife(): Promise<any[]> {
  const next = await TestOrchestrator.start({ REGISTRY_URL: registry.url }, orchestrator.home);
  try {
    const { json } = await next.get('/orchestrator/tasks');
    return await Promise.all(
      json.tasks.map(async ({ id }: { id: string }) => (await next.get(`/orchestrator/tasks/${id}`)).json),
    );
  } finally {
    await next.stop();
  }
}

const discard = (): void => rmSync(orchestrator.home, { recursive: true, force: true });

/** How long something took, monotonic milliseconds. */
async function took(work: Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work;
  return performance.now() - begin;
}

describe('SHUTDOWN_DELAY', () => {
  it('readiness goes off first, health says inactive, and tasks are served on, on new connections too', async () => {
    await start({ SHUTDOWN_DELAY: '1.5' });
    await until(async () => (await orchestrator.get('/health/ready')).status === 200);
    const leaving = orchestrator.leave();
    const ready = await orchestrator.get('/orchestrator/health/ready');
    expect([ready.status, ready.json.error.code]).toEqual([503, 'NOT_READY']);
    expect(Object.keys(ready.json.error.details)).toEqual(['shutdown']);
    const health = await orchestrator.get('/orchestrator/health');
    expect([health.status, health.json.status]).toEqual([200, 'inactive']);
    expect((await orchestrator.get('/orchestrator/state')).json.state).toBe('inactive');
    expect((await orchestrator.get('/health/live')).status).toBe(200);
    const connection = await connect();
    const answer = await connection.request('POST', '/tasks', JSON_TYPE, task('/health')).answer();
    expect([answer.status, answer.json.status]).toEqual([200, 'success']);
    expect(answer.headers.connection).not.toBe('close');
    expect(await took(leaving)).toBeGreaterThan(100);
    expect((await recordsOfNextLife()).map(({ status }) => status)).toEqual(['success']);
  });

  it('retries go on as ever during the delay', async () => {
    await start({ SHUTDOWN_DELAY: '1' });
    const leaving = orchestrator.leave();
    const { json } = await orchestrator.task({ droplet_name: 'echo', path: '/flaky?fail=2' });
    expect([json.status, json.retry_count, json.attempts]).toEqual(['success', 2, 3]);
    await leaving;
    discard();
  });
});

describe('the drain', () => {
  it('a running task is finished, answered with Connection: close, and recorded', async () => {
    await start();
    const connection = (await connect()).request('POST', '/tasks', JSON_TYPE, task('/slow?ms=400'));
    await until(() => droplet.hits('/slow'));
    const leaving = orchestrator.leave();
    const answer = await connection.answer();
    expect([answer.status, answer.json.status, answer.json.recorded]).toEqual([200, 'success', true]);
    expect(answer.headers.connection).toBe('close');
    await leaving;
    const [record] = await recordsOfNextLife();
    expect(record).toMatchObject({ id: answer.json.task_id, status: 'success', attempts: 1 });
  });

  it('a new connection is refused while old ones are served', async () => {
    await start();
    const running = (await connect()).request('POST', '/tasks', JSON_TYPE, task('/slow?ms=500'));
    const open = await connect();
    await until(() => droplet.hits('/slow'));
    const leaving = orchestrator.leave();
    await until(async () => {
      const refused = await RawConnection.open(orchestrator.url).then(
        (connection) => {
          connection.destroy();
          return null;
        },
        (error: unknown) => (error as NodeJS.ErrnoException).code,
      );
      return refused === 'ECONNREFUSED';
    });
    const late = await open.request('POST', '/tasks', JSON_TYPE, task('/health')).answer();
    expect([late.status, late.json.status, late.headers.connection]).toEqual([200, 'success', 'close']);
    await open.closed();
    expect((await running.answer()).json.status).toBe('success');
    await leaving;
    expect(await recordsOfNextLife()).toHaveLength(2);
  });

  it('errors say Connection: close as well', async () => {
    await start();
    const open = await connect();
    const running = (await connect()).request('POST', '/tasks', JSON_TYPE, task('/slow?ms=300'));
    await until(() => droplet.hits('/slow'));
    const leaving = orchestrator.leave();
    await until(() => !orchestrator.app.getHttpServer().listening);
    const answer = await open.request('GET', '/nothing').answer();
    expect([answer.status, answer.headers.connection]).toEqual([404, 'close']);
    await running.answer();
    await leaving;
    discard();
  });

  it('connections that are idle, silent, or stop in the middle of a request do not hold it', async () => {
    await start({ SHUTDOWN_GRACE: '15' });
    const idle = await connect();
    await idle.request('GET', '/health/live').answer();
    const silent = await connect();
    const half = (await connect()).send('GET /health HTTP/1.1\r\nHost: x\r\n');
    expect(await took(orchestrator.leave())).toBeLessThan(10_000);
    await Promise.all([idle.closed(), silent.closed(), half.closed()]);
    discard();
  });

  it('a body that never ends holds it no longer than the grace', async () => {
    await start({ SHUTDOWN_GRACE: '0.3' });
    const connection = (await connect()).request('POST', '/tasks', { ...JSON_TYPE, 'content-length': '50' }).send('{');
    await until(() => orchestrator.get('/health/live'));
    expect(await took(orchestrator.leave())).toBeLessThan(10_000);
    await connection.closed();
    discard();
  });

  it('ends at once when nothing is open', async () => {
    await start({ SHUTDOWN_GRACE: '15' });
    expect(await took(orchestrator.leave())).toBeLessThan(5000);
    discard();
  });

  it('busy clients that keep their connections alive are not cut: each request gets its answer', async () => {
    await start({ SHUTDOWN_GRACE: '10' });
    const agent = new Agent({ keepAlive: true, maxSockets: 20 });
    const tally = { answered: 0, cut: [] as string[] };
    const clients = Array.from({ length: 20 }, () => busyClient(agent, tally));
    await until(() => tally.answered > 200);
    await orchestrator.leave();
    await Promise.all(clients);
    agent.destroy();
    expect(tally.cut).toEqual([]);
    const records = await TestOrchestrator.start({ REGISTRY_URL: registry.url }, orchestrator.home);
    expect((await records.get('/tasks?limit=1')).json.total).toBe(tally.answered);
    await records.stop();
  });
});

/** Sends tasks one after the other until the server takes no new connection; anything else that fails is a cut. */
async function busyClient(agent: Agent, tally: { answered: number; cut: string[] }): Promise<void> {
  for (;;) {
    const ended = await new Promise<string | null>((resolve) => {
      const body = task('/health');
      const headers = { ...JSON_TYPE, 'content-length': String(body.length) };
      const call = request(`${orchestrator.url}/tasks`, { method: 'POST', agent, headers }, (response: IncomingMessage) => {
        response.resume().once('end', () => resolve(null));
      });
      call.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      call.end(body);
    });
    if (ended === null) tally.answered++;
    else {
      if (ended !== 'ECONNREFUSED') tally.cut.push(ended);
      return;
    }
  }
}

describe('SHUTDOWN_GRACE', () => {
  it('a call that outlives it is cut off, answered and recorded as INTERRUPTED', async () => {
    await start({ SHUTDOWN_GRACE: '0.3', TASK_MAX_RETRIES: '3' });
    const connection = (await connect()).request('POST', '/tasks', JSON_TYPE, task('/never'));
    await until(() => droplet.hits('/never'));
    const leaving = took(orchestrator.leave());
    const { json, headers } = await connection.answer();
    expect([json.status, json.response_status, json.error.code, json.attempts]).toEqual(['error', null, 'INTERRUPTED', 1]);
    expect(json.error.details.effect).toBe('unknown');
    expect(headers.connection).toBe('close');
    expect(await leaving).toBeLessThan(10_000);
    const [record] = await recordsOfNextLife();
    expect(record).toMatchObject({ id: json.task_id, status: 'error', error: { code: 'INTERRUPTED' } });
    expect(record.history).toEqual([expect.objectContaining({ attempt: 1, error_code: 'INTERRUPTED' })]);
    expect(droplet.hits('/never')).toBe(1);
  });

  it('a wait for a retry ends at once: the last outcome stands', async () => {
    await start({ SHUTDOWN_GRACE: '15', RETRY_BACKOFF_BASE_MS: '20000', RETRY_BACKOFF_MAX_MS: '20000' });
    const connection = (await connect()).request('POST', '/tasks', JSON_TYPE, task('/status?code=503'));
    await until(() => droplet.hits('/status'));
    const leaving = took(orchestrator.leave());
    const { json } = await connection.answer(9000);
    expect([json.status, json.response_status, json.attempts, json.error.code]).toEqual(['error', 503, 1, 'DROPLET_ERROR']);
    expect(await leaving).toBeLessThan(10_000);
    expect(await recordsOfNextLife()).toMatchObject([{ id: json.task_id, status: 'error', response_status: 503, attempts: 1 }]);
  });

  it('an attempt that fails during the drain is the last one', async () => {
    await start();
    const connection = (await connect()).request('POST', '/tasks', JSON_TYPE, task('/late'));
    droplet.handler = (_seen, response) => void setTimeout(() => response.writeHead(503).end(), 400);
    await until(() => droplet.hits('/late'));
    const leaving = orchestrator.leave();
    expect((await connection.answer()).json).toMatchObject({ status: 'error', response_status: 503, attempts: 1 });
    await leaving;
    expect(droplet.hits('/late')).toBe(1);
    discard();
  });

  it('a task whose caller has hung up is waited for and recorded', async () => {
    await start();
    const connection = (await connect()).request('POST', '/tasks', JSON_TYPE, task('/slow?ms=500'));
    await until(() => droplet.hits('/slow'));
    connection.destroy();
    await orchestrator.leave();
    expect(await recordsOfNextLife()).toMatchObject([{ status: 'success', attempts: 1, path: '/slow?ms=500' }]);
  });
});

describe('a caller that hangs up', () => {
  beforeEach(() => start({ RETRY_BACKOFF_BASE_MS: '200', RETRY_BACKOFF_MAX_MS: '200' }));
  afterEach(() => orchestrator.stop());

  const recorded = () => until(async () => (await orchestrator.get('/orchestrator/tasks')).json.tasks[0]);

  it('the running attempt ends and is recorded', async () => {
    const connection = (await connect()).request('POST', '/tasks', JSON_TYPE, task('/slow?ms=200'));
    await until(() => droplet.hits('/slow'));
    connection.destroy();
    expect(await recorded()).toMatchObject({
      status: 'success',
      response_status: 200,
      attempts: 1,
      response_body: { slow: true },
    });
  });

  it('no further attempt starts', async () => {
    droplet.handler = (_seen, response) => void setTimeout(() => response.writeHead(503).end(), 200);
    const connection = (await connect()).request('POST', '/tasks', JSON_TYPE, task('/bad', { max_attempts: 5 }));
    await until(() => droplet.hits('/bad'));
    connection.destroy();
    expect(await recorded()).toMatchObject({ status: 'error', response_status: 503, attempts: 1, retry_count: 1 });
    expect(droplet.hits('/bad')).toBe(1);
  });

  it('a wait between two attempts ends at once', async () => {
    const body = task('/status?code=503', { max_attempts: 2, timeout_ms: 60_000 });
    droplet.handler = (_seen, response) => response.writeHead(503, { 'retry-after': '30' }).end();
    const connection = (await connect()).request('POST', '/tasks', JSON_TYPE, body);
    await until(() => droplet.hits('/status'));
    connection.destroy();
    expect(await recorded()).toMatchObject({ status: 'error', response_status: 503, attempts: 1 });
    expect(droplet.hits('/status')).toBe(1);
  });
});
