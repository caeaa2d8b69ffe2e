import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Metrics } from '../src/metrics/metrics.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { RawConnection, rawExchange } from './support/raw.client.js';
import { expectError } from './support/udc.error.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const PAGES = [
  ...['/health', '/health/live', '/health/ready', '/health/startup', '/capabilities', '/state', '/dependencies', '/info'],
  ...['/message', '/send', '/metrics', '/metrics/prometheus', '/droplets', '/droplets/2', '/droplets/orchestrator'],
  ...['/droplets/name/orchestrator', '/tasks'],
];

let orchestrator: TestOrchestrator;

beforeAll(async () => {
  orchestrator = await TestOrchestrator.start({ BODY_LIMIT: '2048' });
});

afterAll(() => orchestrator.stop());

describe('paths', () => {
  it.each(PAGES)('%s answers with and without the prefix, with a trailing slash, and to HEAD', async (page) => {
    for (const path of [
      `/orchestrator${page}`,
      page,
      `/orchestrator${page}/`,
      `${page}/`,
      `${page}?x=1`,
      `/orchestrator${page}/?x`,
    ]) {
      expect([path, (await orchestrator.get(path)).status]).toEqual([path, 200]);
      const head = await orchestrator.request('HEAD', path);
      expect([path, head.status, head.text]).toEqual([path, 200, '']);
      expect(head.headers.get('x-request-id')).toMatch(UUID);
    }
  });

  it.each(['/', '/orchestrator', '/orchestrator/', '/orchestrator?a=1', '/orchestrator/?a=1', '/?a=1'])(
    '%s is the index page',
    async (path) => {
      const { status, json } = await orchestrator.get(path);
      expect([status, json.name, json.version]).toEqual([200, 'orchestrator', '1.1.0']);
    },
  );

  it.each([
    ...['/nothing', '/orchestrator/nothing', '/orchestratorx', '/orchestratorhealth', '/orchestrator/orchestrator/health'],
    ...['/%6frchestrator/health', '/%6Frchestrator', '//health', '/orchestrator//health', '/health//', '/Orchestrator/health'],
    ...[
      '/orchestrator/health/nothing',
      '/orchestrator/%2fhealth',
      '/orchestrator%2fhealth',
      '/tasks/x/y',
      '/tasks//',
      '/favicon.ico',
    ],
    ...['/orchestrator/../nothing', '/__proto__', '/constructor', '/*', '/health%00', '/health;a=1'],
  ])('%s is no route: 404 in the one error shape', async (path) => {
    const connection = await RawConnection.open(orchestrator.url);
    expectError(await connection.request('GET', path).answer(), 404, 'NOT_FOUND');
    connection.destroy();
  });

  it('answers a request that names the whole URL, as RFC 9112 demands of every server', async () => {
    const connection = await RawConnection.open(orchestrator.url);
    expect((await connection.request('GET', 'http://test/orchestrator/info').answer()).json.name).toBe('orchestrator');
    expect((await connection.request('GET', 'http://test').answer()).json.name).toBe('orchestrator');
    expectError(await connection.request('GET', 'http://test/nothing').answer(), 404, 'NOT_FOUND');
    connection.destroy();
  });

  it('a route that exists is not one when the path is no route for a body of a wrong type or size either', async () => {
    expectError(await orchestrator.post('/nothing', 'x', { 'content-type': 'text/plain' }), 404, 'NOT_FOUND');
    expectError(await orchestrator.post('/nothing', '{', {}), 404, 'NOT_FOUND');
  });
});

describe('methods', () => {
  it.each([
    ['DELETE', '/orchestrator/tasks', 'GET, HEAD, POST'],
    ['PUT', '/tasks/', 'GET, HEAD, POST'],
    ['PATCH', '/orchestrator/tasks?limit=1', 'GET, HEAD, POST'],
    ['OPTIONS', '/orchestrator/tasks', 'GET, HEAD, POST'],
    ['POST', '/orchestrator/health', 'GET, HEAD'],
    ['POST', '/health/ready', 'GET, HEAD'],
    ['DELETE', '/orchestrator/', 'GET, HEAD'],
    ['POST', '/', 'GET, HEAD'],
    ['GET', '/register', 'POST'],
    ['HEAD', '/register', 'POST'],
    ['PUT', '/droplets/3', 'DELETE, GET, HEAD, PATCH'],
    ['GET', '/droplets/3/heartbeat', 'POST'],
    ['DELETE', '/message', 'GET, HEAD, POST'],
    ['PROPFIND', '/orchestrator/tasks', 'GET, HEAD, POST'],
    ['QUERY', '/orchestrator/tasks', 'GET, HEAD, POST'],
    ['SEARCH', '/health', 'GET, HEAD'],
    ['TRACE', '/health', 'GET, HEAD'],
  ])('%s %s is 405 and says what is allowed', async (method, path, allowed) => {
    const connection = await RawConnection.open(orchestrator.url);
    connection.request(method, path, { connection: 'close' });
    if (method === 'HEAD') {
      await connection.closed();
      expect(connection.text).toMatch(/^HTTP\/1\.1 405 [^]*\r\nallow: POST\r\n/);
    } else {
      const answer = await connection.answer();
      expectError(answer, 405, 'METHOD_NOT_ALLOWED');
      expect(answer.headers.allow).toBe(allowed);
    }
    connection.destroy();
  });

  it.each(['PUT', 'PROPFIND', 'OPTIONS'])('%s to a path that nobody knows is 404', async (method) => {
    const connection = await RawConnection.open(orchestrator.url);
    expectError(await connection.request(method, '/nothing').answer(), 404, 'NOT_FOUND');
    connection.destroy();
  });

  it('is 405 also when the body could not be read', async () => {
    expectError(await orchestrator.request('PUT', '/tasks', 'x', { 'content-type': 'text/plain' }), 405, 'METHOD_NOT_ALLOWED');
  });
});

describe('every error has the one shape', () => {
  it('an unknown task', async () => {
    const json = expectError(await orchestrator.get('/orchestrator/tasks/none'), 404, 'TASK_NOT_FOUND');
    expect(json.error.details).toBeNull();
  });

  it('an unknown droplet, as a task (400) and as a page (404)', async () => {
    const task = expectError(await orchestrator.task({ droplet_name: 'nobody', path: '/' }), 400, 'DROPLET_NOT_FOUND');
    expect(task.error.details).toEqual({ requested_droplet: 'nobody', available_droplets: ['orchestrator'] });
    for (const path of [
      '/droplets/nobody',
      '/orchestrator/droplets/nobody',
      '/droplets/name/nobody',
      '/orchestrator/droplets/nobody/',
    ]) {
      expectError(await orchestrator.get(path), 404, 'DROPLET_NOT_FOUND');
    }
  });

  it.each(['/%zz', '/orchestrator/tasks/%', '/orchestrator/%e0%a4%a', '/orchestrator/droplets/%ff', '/health/%c0%80'])(
    'a malformed URL: %s is 400, and is not echoed',
    async (path) => {
      const connection = await RawConnection.open(orchestrator.url);
      const answer = await connection.request('GET', path).answer();
      expectError(answer, 400, 'INVALID_REQUEST');
      expect(JSON.stringify(answer.json)).not.toMatch(/%[^"]*%|tasks\/%|droplets\/%|%zz/);
      connection.destroy();
    },
  );

  it('a body over BODY_LIMIT is 413, whether its length is told or not; at the limit it is not', async () => {
    const body = (size: number): string =>
      JSON.stringify({ droplet_name: 'x', path: '/', payload: '' }).replace('""', `"${'a'.repeat(size)}"`);
    const room = 2048 - body(0).length;
    expectError(await orchestrator.task(body(room)), 400, 'DROPLET_NOT_FOUND');
    expectError(await orchestrator.task(body(room + 1)), 413, 'PAYLOAD_TOO_LARGE');
    const chunked = await RawConnection.open(orchestrator.url);
    chunked.request('POST', '/tasks', { 'transfer-encoding': 'chunked', 'content-type': 'application/json' });
    chunked.send(`${(4096).toString(16)}\r\n${'a'.repeat(4096)}\r\n`);
    expectError(await chunked.answer(), 413, 'PAYLOAD_TOO_LARGE');
    chunked.destroy();
  });

  it('a name in the path that is too long for any droplet or task is 414', async () => {
    for (const path of ['/orchestrator/droplets/', '/tasks/']) {
      expectError(await orchestrator.get(path + 'a'.repeat(4000)), 414, 'INVALID_REQUEST');
    }
  });

  it('a droplet name of 255 characters still finds its route, percent-encoded', async () => {
    const path = `/orchestrator/droplets/${encodeURIComponent('💧'.repeat(127))}`;
    expectError(await orchestrator.get(path), 404, 'DROPLET_NOT_FOUND');
  });

  it('a body that is not JSON by its type is 415', async () => {
    expectError(await orchestrator.post('/tasks', 'a=1', { 'content-type': 'text/plain' }), 415, 'UNSUPPORTED_MEDIA_TYPE');
  });

  it.each([1, 5, 60])('headers that are too large are 431, also when %s times as much is on its way', async (times) => {
    const connection = await RawConnection.open(orchestrator.url);
    connection.send(`GET /health HTTP/1.1\r\nHost: x\r\n`);
    for (let sent = 0; sent < times; sent++) connection.send(`X-${sent}: ${'a'.repeat(17_000)}\r\n`);
    expectError(await connection.answer(), 431, 'INVALID_REQUEST');
    await connection.closed();
  });

  it('a HEAD that the parser refuses gets no body, for its client would take it for the next answer', async () => {
    const connection = await RawConnection.open(orchestrator.url);
    connection.send(`HEAD /health?${'a'.repeat(17_000)} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await connection.closed();
    expect(connection.text).toMatch(/^HTTP\/1\.1 431 .*\r\n\r\n$/s);
  });

  it.each([
    ['garbage', 'this is not HTTP\r\n\r\n'],
    ['binary garbage', Buffer.from('160301020001000001fc0303ffeedd', 'hex')],
    ['a method that nobody knows', 'FOO / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a version that nobody knows', 'GET / HTTP/9.9\r\nHost: x\r\n\r\n'],
    ['the HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a header without a colon', 'GET / HTTP/1.1\r\nHost: x\r\nbroken\r\n\r\n'],
    ['a line feed in a header', 'GET / HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n'],
    ['two lengths', 'POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'],
    [
      'a length with chunks',
      'POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a length that is none', 'POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Length: two\r\n\r\n{}'],
    ['a broken chunk', 'POST /tasks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n'],
    ['an encoding that nobody knows', 'POST /tasks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n{}'],
    ['a space in the URL', 'GET /a b HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['CONNECT', 'CONNECT example.org:80 HTTP/1.1\r\nHost: example.org\r\n\r\n'],
  ])('what is not HTTP: %s is 400 and the connection ends', async (_name, data) => {
    const connection = await RawConnection.open(orchestrator.url);
    const answer = await connection.send(data).answer();
    expectError(answer, 400, 'INVALID_REQUEST');
    expect(answer.headers.connection).toBe('close');
    await connection.closed();
  });

  it('an HTTP/1.1 request without Host is 400, as RFC 9112 demands, and its id comes back', async () => {
    const answer = await rawExchange(orchestrator.url, 'GET /health HTTP/1.1\r\nX-Request-ID: mine\r\n\r\n');
    expectError(answer, 400, 'INVALID_REQUEST');
    expect(answer.headers['x-request-id']).toBe('mine');
  });

  it('an HTTP/1.0 client without Host is served', async () => {
    expect((await rawExchange(orchestrator.url, 'GET /health/live HTTP/1.0\r\n\r\n')).status).toBe(200);
  });

  it('an expectation that nobody knows is no reason for an answer without shape', async () => {
    const connection = await RawConnection.open(orchestrator.url);
    const answer = await connection.request('GET', '/orchestrator/info', { expect: 'a-miracle' }).answer();
    expect([answer.status, answer.json.name]).toEqual([200, 'orchestrator']);
    expect(answer.headers['x-request-id']).toMatch(UUID);
    connection.destroy();
  });

  it('a client that wants to upgrade is served as if it did not', async () => {
    const connection = await RawConnection.open(orchestrator.url);
    const answer = await connection.request('GET', '/health/live', { connection: 'Upgrade', upgrade: 'websocket' }).answer();
    expect(answer.status).toBe(200);
    connection.destroy();
  });

  it('a wrong query', async () => {
    const json = expectError(await orchestrator.get('/orchestrator/tasks?limit=SECRET'), 400, 'INVALID_REQUEST');
    expect(json.error.details.errors[0].field).toBe('limit');
    expect(JSON.stringify(json)).not.toContain('SECRET');
  });

  it('an accident inside is 500 without a word of what happened', async () => {
    const accident = (): never => {
      throw new Error('password hunter2 at /srv/app/secret.js:1');
    };
    const metrics = orchestrator.app.get(Metrics);
    const original = metrics.prometheus;
    metrics.prometheus = accident;
    const answer = await orchestrator.get('/metrics/prometheus');
    metrics.prometheus = original;
    expectError(answer, 500, 'INTERNAL_ERROR');
    expect(answer.text).not.toContain('hunter2');
  });

  it('goes on serving after all of this', async () => {
    expect((await orchestrator.get('/orchestrator/health')).json.status).toBe('active');
  });
});

describe('X-Request-ID', () => {
  const ids = ['a', 'A-b_c.9', 'x'.repeat(128), '0', '..'];
  const errors: [method: string, path: string][] = [
    ...([
      ['GET', '/health'],
      ['GET', '/nothing'],
      ['PUT', '/health'],
      ['POST', '/tasks'],
      ['GET', '/tasks/x'],
    ] as [string, string][]),
    ...([
      ['GET', '/%zz'],
      ['GET', `/tasks/${'a'.repeat(4000)}`],
      ['GET', '/tasks?limit=0'],
      ['HEAD', '/health'],
    ] as [string, string][]),
  ];

  it.each(errors)("the caller's own comes back from %s %s", async (method, path) => {
    for (const id of ids) {
      const { headers } = await orchestrator.request(method, path, undefined, { 'x-request-id': id });
      expect(headers.get('x-request-id')).toBe(id);
    }
  });

  it.each(['x'.repeat(129), 'a b', 'a/b', 'ü', '<script>', '"', 'a,b', ''])(
    'one that is not acceptable is replaced: %j',
    async (id) => {
      const connection = await RawConnection.open(orchestrator.url);
      connection.request('GET', '/health', { 'x-request-id': id });
      expect((await connection.answer()).headers['x-request-id']).toMatch(UUID);
      connection.destroy();
    },
  );

  it('two of them are replaced by one of ours', async () => {
    const text = 'GET /health HTTP/1.1\r\nHost: x\r\nX-Request-ID: a\r\nX-Request-ID: b\r\n\r\n';
    expect((await rawExchange(orchestrator.url, text)).headers['x-request-id']).toMatch(UUID);
  });

  it('is another one for every request', async () => {
    const answers = await Promise.all(['/health', '/health', '/nothing'].map((path) => orchestrator.get(path)));
    expect(new Set(answers.map(({ headers }) => headers.get('x-request-id'))).size).toBe(3);
  });
});
