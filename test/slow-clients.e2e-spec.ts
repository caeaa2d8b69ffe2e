import type { Server } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startDroplet } from './support/droplet.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { RawConnection } from './support/raw.client.js';
import { entry, TestRegistry } from './support/registry.js';
import type { TestServer } from './support/server.js';
import { expectError } from './support/udc.error.js';
import { until } from './support/http.client.js';

let droplet: TestServer;
let registry: TestRegistry;
let orchestrator: TestOrchestrator;
let server: Server;
let connection: RawConnection;

beforeAll(async () => {
  droplet = await startDroplet();
  registry = await TestRegistry.start([entry(3, 'echo', droplet.url)]);
  orchestrator = await TestOrchestrator.start({ REGISTRY_URL: registry.url });
  server = orchestrator.app.getHttpServer();
});

afterAll(async () => {
  await orchestrator.stop();
  await registry.stop();
  await droplet.stop();
});

beforeEach(async () => {
  connection = await RawConnection.open(orchestrator.url);
});

afterEach(() => connection.destroy());

describe('the limits of a real server', () => {
  it('gives headers 10 s, a whole request 30 s, and keeps idle connections longer than the proxies before it', () => {
    const { headersTimeout, requestTimeout, keepAliveTimeout } = server;
    expect({ headersTimeout, requestTimeout, keepAliveTimeout }).toEqual({
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 65_000,
    });
  });
});

describe('slow clients', () => {
  const given = { headers: 0, request: 0 };

  // The same server with shorter limits: Node reads them whenever it looks for slow requests.
  beforeAll(() => {
    given.headers = server.headersTimeout;
    given.request = server.requestTimeout;
    server.headersTimeout = 300;
    server.requestTimeout = 600;
  });

  afterAll(() => {
    server.headersTimeout = given.headers;
    server.requestTimeout = given.request;
  });

  it.each([
    ['nothing but the first line', 'GET /health HTTP/1.1\r\n'],
    ['headers that never end', 'GET /health HTTP/1.1\r\nHost: x\r\nX-A: b\r\n'],
    ['half a word', 'GE'],
  ])('%s: 408 in the one error shape, and the connection ends', async (_name, start) => {
    const answer = await connection.send(start).answer();
    expectError(answer, 408, 'INVALID_REQUEST');
    expect(answer.headers.connection).toBe('close');
    await connection.closed();
  });

  it.each([
    ['with a length', { 'content-length': '100' }, '{"droplet_name":"echo",'],
    ['in chunks', { 'transfer-encoding': 'chunked' }, '5\r\n{"dro\r\n'],
    ['without a single byte', { 'content-length': '2' }, ''],
  ])('a body that never ends, %s: 408, the connection ends and no droplet is called', async (_name, headers, start) => {
    const calls = droplet.hits('/');
    connection.request('POST', '/orchestrator/tasks', { 'content-type': 'application/json', ...headers }).send(start);
    expectError(await connection.answer(), 408, 'INVALID_REQUEST');
    await connection.closed();
    expect(connection.text.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(droplet.hits('/')).toBe(calls);
  });

  it('headers that come a byte at a time do not buy more time', async () => {
    const drip = setInterval(() => connection.send('a'), 20);
    connection.send('GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    try {
      expectError(await connection.answer(), 408, 'INVALID_REQUEST');
      await connection.closed();
    } finally {
      clearInterval(drip);
    }
  });

  it('a refused client that never hangs up and goes on sending is cut off', async () => {
    const stubborn = await RawConnection.open(orchestrator.url, true);
    expectError(await stubborn.send('garbage\r\n\r\n').answer(), 400, 'INVALID_REQUEST');
    await until(() => stubborn.send('x').isClosed);
    expect(stubborn.text.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it('a slow task is no slow client: its answer comes after the limits', async () => {
    const body = JSON.stringify({ droplet_name: 'echo', path: '/slow?ms=2500' });
    connection.request('POST', '/tasks', { 'content-type': 'application/json' }, body);
    const answer = await connection.answer();
    expect([answer.status, answer.json.response_body]).toEqual([200, { slow: true }]);
  });

  it('many slow clients do not hinder a quick one', async () => {
    const slow = await Promise.all(Array.from({ length: 200 }, () => RawConnection.open(orchestrator.url)));
    for (const each of slow) each.send('POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n');
    const { json } = await orchestrator.task({ droplet_name: 'echo', path: '/health' });
    expect(json.status).toBe('success');
    for (const each of slow) each.destroy();
  });
});

describe('what follows a request on the same connection', () => {
  it('garbage is answered after the answer that is due, not in its place', async () => {
    const body = JSON.stringify({ droplet_name: 'echo', path: '/slow?ms=200' });
    connection.request('POST', '/tasks', { 'content-type': 'application/json' }, body).send('garbage\r\n\r\n');
    expect((await connection.answer()).json.status).toBe('success');
    expectError(await connection.answer(), 400, 'INVALID_REQUEST');
    await connection.closed();
  });

  it('a second request is answered after the first', async () => {
    const body = JSON.stringify({ droplet_name: 'echo', path: '/slow?ms=100' });
    connection.request('POST', '/tasks', { 'content-type': 'application/json' }, body).request('GET', '/health/live');
    expect((await connection.answer()).json.task_id).toBeDefined();
    expect((await connection.answer()).json.status).toBe('ok');
  });

  it('a body that is cut short by its client is never a task', async () => {
    const calls = droplet.hits('/');
    connection.request('POST', '/tasks', { 'content-length': '200' }).send('{"droplet_name":"echo","path":"/health"}').end();
    expectError(await connection.answer(), 400, 'INVALID_REQUEST');
    expect(droplet.hits('/')).toBe(calls);
  });
});
