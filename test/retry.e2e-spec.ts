import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startDroplet } from './support/droplet.js';
import { until, type HttpAnswer } from './support/http.client.js';
import { stopsAfterEach } from './support/outbound.cleanup.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { entry, TestRegistry } from './support/registry.js';
import { freePort, reply, type Handler, type TestServer } from './support/server.js';
import { VERSION } from '../src/config/version.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('retries', () => {
  let droplet: TestServer;
  let paths: Handler;
  let other: TestServer;
  let registry: TestRegistry;
  let orchestrator: TestOrchestrator;

  beforeAll(async () => {
    droplet = await startDroplet();
    paths = droplet.handler;
    other = await startDroplet();
    registry = await TestRegistry.start([
      entry(3, 'Echo', droplet.url),
      entry(4, 'moving', droplet.url),
      entry(5, 'gone', `http://127.0.0.1:${await freePort()}`),
      { ...entry(6, 'resting', droplet.url), status: 'inactive' },
    ]);
    orchestrator = await TestOrchestrator.start({ REGISTRY_URL: registry.url, REGISTRY_SYNC_INTERVAL: '0.05' });
  });
  beforeEach(() => {
    droplet.seen.length = 0;
    droplet.handler = paths;
  });
  afterAll(async () => {
    await orchestrator.stop();
    await registry.stop();
    await droplet.stop();
    await other.stop();
  });

  const ask = (path: string, more: object = {}, headers: Record<string, string> = {}): Promise<HttpAnswer> =>
    orchestrator.task({ droplet_name: 'echo', path, ...more }, headers);
  const recordOf = async ({ json }: HttpAnswer): Promise<any> =>
    (await orchestrator.get(`/orchestrator/tasks/${json.task_id}`)).json;
  const busy = (headers: Record<string, string> = {}): void => {
    droplet.handler = (_seen, response) => reply(response, 503, { busy: true }, headers);
  };

  it('[503, 503, 200] is a success with retry_count 2, after the waits of the settings', async () => {
    const answer = await ask('/flaky?fail=2');
    expect(answer.json).toMatchObject({ status: 'success', response_status: 200, retry_count: 2, attempts: 3, error: null });
    const [first, second, third] = droplet.seen.map(({ at }) => at);
    // A timer may fire a millisecond early by another clock.
    expect(second! - first!).toBeGreaterThanOrEqual(18);
    expect(third! - second!).toBeGreaterThanOrEqual(38);
    const record = await recordOf(answer);
    expect(record).toMatchObject({ status: 'success', retry_count: 2, attempts: 3, error: null, error_message: null });
    expect(record.history).toEqual(
      [503, 503, 200].map((status, index) => ({
        ...{ attempt: index + 1, started_at: expect.any(Number), duration_ms: expect.any(Number), response_status: status },
        ...{ error_code: status === 200 ? null : 'DROPLET_ERROR', delay_ms: [0, 20, 40][index], endpoint: droplet.url },
        effect: status === 200 ? 'none' : 'unknown',
      })),
    );
    const starts = record.history.map((each: { started_at: number }) => each.started_at);
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(Math.abs(starts[0] - Date.now() / 1000)).toBeLessThan(60);
  });

  it.each([400, 401, 403, 404, 409, 410, 418, 422, 429])(
    '%d is asked once and is an error that keeps its answer',
    async (code) => {
      const { status, json } = await ask(`/status?code=${code}`);
      expect(status).toBe(200);
      expect(json).toMatchObject({ status: 'error', response_status: code, retry_count: 0, attempts: 1 });
      expect(json.response_body).toEqual({ asked: `/status?code=${code}` });
      expect(json.error).toMatchObject({ code: 'DROPLET_ERROR', details: { effect: 'none', stopped_by: null } });
      expect(droplet.hits()).toBe(1);
    },
  );

  it.each([500, 502, 503, 504])('%d three times keeps the last status and body', async (code) => {
    const answer = await ask(`/status?code=${code}`);
    expect(answer.json).toMatchObject({ status: 'error', response_status: code, retry_count: 3, attempts: 3 });
    expect(answer.json.response_body).toEqual({ asked: `/status?code=${code}` });
    expect(answer.json.error).toEqual({
      ...{ code: 'DROPLET_ERROR', message: expect.stringContaining(String(code)) },
      details: { effect: 'unknown', stopped_by: 'attempts' },
    });
    expect(droplet.hits()).toBe(3);
    const record = await recordOf(answer);
    expect(record).toMatchObject({ status: 'error', response_status: code, retry_count: 3, error: answer.json.error });
    expect(record.error_message).toBe(answer.json.error.message);
    expect(record.history).toHaveLength(3);
  });

  it.each([501, 505])('%d is asked once: it does not pass', async (code) => {
    const { json } = await ask(`/status?code=${code}`);
    expect(json).toMatchObject({ status: 'error', response_status: code, attempts: 1, retry_count: 1 });
    expect(json.error).toMatchObject({ code: 'DROPLET_ERROR', details: { effect: 'none', stopped_by: null } });
    expect(droplet.hits()).toBe(1);
  });

  it('the last attempt decides: 503, then 404 is a 404 whose effect stays unknown', async () => {
    droplet.handler = (_seen, response) => reply(response, droplet.hits() === 1 ? 503 : 404, {});
    const { json } = await ask('/x');
    expect(json).toMatchObject({ status: 'error', response_status: 404, attempts: 2, retry_count: 1 });
    expect(json.error.details).toEqual({ effect: 'unknown', stopped_by: null });
  });

  it('the last attempt decides: an answer, then resets is unreachable without a status', async () => {
    droplet.handler = (_seen, response) => (droplet.hits() === 1 ? reply(response, 503, {}) : response.socket?.resetAndDestroy());
    const answer = await ask('/x');
    expect(answer.json).toMatchObject({
      status: 'error',
      response_status: null,
      response_body: null,
      attempts: 3,
      retry_count: 3,
    });
    expect(answer.json.error.code).toBe('DROPLET_UNREACHABLE');
    const { history } = await recordOf(answer);
    expect(history.map((each: any) => [each.response_status, each.error_code])).toEqual([
      [503, 'DROPLET_ERROR'],
      [null, 'DROPLET_UNREACHABLE'],
      [null, 'DROPLET_UNREACHABLE'],
    ]);
  });

  describe('of what must not be done twice (retry_unsafe false)', () => {
    it.each(['POST', 'PATCH'])('%s is not repeated after a 503 or a reset', async (method) => {
      for (const path of ['/status?code=503', '/reset']) {
        droplet.seen.length = 0;
        const { json } = await ask(path, { method, retry_unsafe: false });
        expect(json).toMatchObject({ status: 'error', attempts: 1, retry_count: 1 });
        expect(json.error.details).toEqual({ effect: 'unknown', stopped_by: null });
        expect(droplet.hits()).toBe(1);
      }
    });

    it('nor after a timeout', async () => {
      const { json } = await ask('/never', { method: 'POST', retry_unsafe: false, attempt_timeout_ms: 100 });
      expect(json).toMatchObject({ status: 'timeout', attempts: 1, error: { code: 'TIMEOUT', details: { effect: 'unknown' } } });
    });

    it.each(['POST', 'PATCH'])('%s is repeated when it was never sent', async (method) => {
      const { json } = await orchestrator.task({ droplet_name: 'gone', path: '/x', method, retry_unsafe: false });
      expect(json).toMatchObject({ attempts: 3, error: { code: 'DROPLET_UNREACHABLE', details: { effect: 'none' } } });
    });

    it.each(['GET', 'PUT', 'DELETE'])('%s is repeated all the same', async (method) => {
      expect((await ask('/status?code=503', { method, retry_unsafe: false })).json.attempts).toBe(3);
    });

    it.each(['POST', 'PATCH'])('%s is repeated by default', async (method) => {
      expect((await ask('/status?code=503', { method })).json.attempts).toBe(3);
      expect((await ask('/reset', { method, retry_unsafe: true })).json.attempts).toBe(3);
    });
  });

  describe('within what the task asks for', () => {
    it.each([1, 2, 5])('max_attempts %d', async (max_attempts) => {
      const { json } = await ask('/status?code=500', { max_attempts });
      expect([json.attempts, json.retry_count, droplet.hits()]).toEqual([max_attempts, max_attempts, max_attempts]);
      expect(json.error.details.stopped_by).toBe('attempts');
    });

    it('attempt_timeout_ms ends each attempt, and the next may succeed', async () => {
      droplet.handler = (_seen, response) => (droplet.hits() === 1 ? undefined : reply(response, 200, {}));
      const answer = await ask('/x', { attempt_timeout_ms: 150 });
      expect(answer.json).toMatchObject({ status: 'success', attempts: 2, retry_count: 1 });
      expect((await recordOf(answer)).history[0]).toMatchObject({ response_status: null, error_code: 'TIMEOUT' });
    });

    it('timeout_ms ends everything, with the last outcome', async () => {
      const { json } = await ask('/never', { timeout_ms: 300, attempt_timeout_ms: 200 });
      expect(json).toMatchObject({ status: 'timeout', response_status: null, attempts: 2, retry_count: 2 });
      expect(json.error.details).toEqual({ effect: 'unknown', stopped_by: 'deadline' });
      expect(json.duration_ms).toBeGreaterThanOrEqual(290);
    });

    it('an answer at the deadline stands: 503 with its body, stopped by the deadline', async () => {
      busy({ 'retry-after': '60' });
      const { json } = await ask('/x', { timeout_ms: 5000 });
      expect(json).toMatchObject({ status: 'error', response_status: 503, response_body: { busy: true }, attempts: 1 });
      expect(json.error.details).toEqual({ effect: 'unknown', stopped_by: 'deadline' });
      expect(json.duration_ms).toBeLessThan(4500);
    });
  });

  it('waits at least as long as Retry-After asks', async () => {
    droplet.handler = (_seen, response) => reply(response, droplet.hits() === 1 ? 503 : 200, {}, { 'retry-after': '1' });
    const answer = await ask('/x');
    expect(answer.json).toMatchObject({ status: 'success', attempts: 2 });
    expect((await recordOf(answer)).history[1].delay_ms).toBe(1000);
    expect(droplet.seen[1]!.at - droplet.seen[0]!.at).toBeGreaterThanOrEqual(990);
  });

  it.each(['-1', 'soon', '1e9', '', 'Sun, 06 Nov 1994 08:49:37 GMT'])('takes a Retry-After of %j for none', async (header) => {
    busy({ 'retry-after': header });
    const { history } = await recordOf(await ask('/x'));
    expect(history.map((each: any) => each.delay_ms)).toEqual([0, 20, 40]);
  });

  it('finds the droplet where the Registry says it is by now', async () => {
    const moving = registry.list.find(({ name }) => name === 'moving')!;
    droplet.handler = (_seen, response) => {
      moving.endpoint = other.url;
      reply(response, 503, {});
    };
    const answer = await orchestrator.task({ droplet_name: 'moving', path: '/health', max_attempts: 50, timeout_ms: 15_000 });
    expect(answer.json).toMatchObject({
      status: 'success',
      response_body: { status: 'active' },
      target_url: `${other.url}/health`,
    });
    const endpoints = (await recordOf(answer)).history.map((each: any) => each.endpoint);
    expect([endpoints[0], endpoints.at(-1)]).toEqual([droplet.url, other.url]);
    expect((await recordOf(answer)).target_url).toBe(`${other.url}/health`);
  });

  it('says that an inactive droplet is inactive when its call fails, and calls it all the same', async () => {
    const failed = await orchestrator.task({ droplet_name: 'resting', path: '/status?code=404' });
    expect(failed.json.error.details).toEqual({ effect: 'none', stopped_by: null, droplet_status: 'inactive' });
    expect((await orchestrator.task({ droplet_name: 'resting', path: '/health' })).json).toMatchObject({
      status: 'success',
      error: null,
    });
  });

  it('stop when the caller hangs up during a wait: what was done is recorded', async () => {
    busy({ 'retry-after': '12' });
    const hangUp = new AbortController();
    const body = JSON.stringify({ droplet_name: 'echo', path: '/x', meta: { test: 'hang-up' } });
    const url = `${orchestrator.url}/orchestrator/tasks`;
    const call = fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' }, signal: hangUp.signal });
    await until(() => droplet.hits() === 1);
    hangUp.abort();
    await expect(call).rejects.toThrow(/abort/i);
    const { tasks } = await until<any>(async () => {
      const { json } = await orchestrator.get('/orchestrator/tasks?meta.test=hang-up');
      return json.total === 1 ? json : null;
    }, 8000);
    expect(tasks[0]).toMatchObject({
      status: 'error',
      response_status: 503,
      attempts: 1,
      error: { details: { stopped_by: null } },
    });
    expect(droplet.hits()).toBe(1);
  });

  describe('send the headers of the contract on every attempt', () => {
    it('ours: the task, its attempt, the time left, the key, the trace', async () => {
      busy();
      const { json } = await ask(
        '/x',
        { timeout_ms: 20_000 },
        { traceparent: `00-${TRACE}-${SPAN}-01`, 'x-request-id': 'req-1' },
      );
      expect(droplet.hits()).toBe(3);
      const all = droplet.seen.map(({ headers }) => headers);
      for (const [index, headers] of all.entries()) {
        expect(headers).toMatchObject({
          ...{ 'x-task-id': json.task_id, 'idempotency-key': json.task_id, 'x-task-attempt': String(index + 1) },
          ...{ 'x-request-id': 'req-1', 'accept-encoding': 'identity', host: new URL(droplet.url).host },
          'user-agent': expect.stringContaining(VERSION),
        });
        expect(headers.traceparent).toMatch(new RegExp(`^00-${TRACE}-(?!${SPAN})[0-9a-f]{16}-01$`));
      }
      expect(new Set(all.map(({ traceparent }) => traceparent)).size).toBe(3);
      const left = all.map((headers) => Number(headers['x-task-deadline-ms']));
      expect(left[0]).toBeLessThanOrEqual(20_000);
      expect(left[0]! - left[1]!).toBeGreaterThanOrEqual(18);
      expect(left[1]! - left[2]!).toBeGreaterThanOrEqual(38);
      expect(left[2]).toBeGreaterThan(0);
    });

    it('without a trace or request id from the caller they are made', async () => {
      const answer = await ask('/echo');
      const { headers } = answer.json.response_body;
      expect(headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);
      expect(headers['x-request-id']).toBe(answer.headers.get('x-request-id'));
      expect(headers['content-type']).toBeUndefined();
    });

    it("the caller's own, also in place of our defaults", async () => {
      const headers = {
        'X-Custom': 'a\tb  c',
        Accept: 'text/plain',
        'User-Agent': 'mine/1',
        'Content-Type': 'application/merge-patch+json',
      };
      const { json } = await ask('/echo', {
        method: 'PATCH',
        payload: {},
        headers: { ...headers, 'x-empty': '', 'X-Tilde~!': '~' },
      });
      expect(json.response_body.headers).toMatchObject({
        ...{
          'x-custom': 'a\tb  c',
          accept: 'text/plain',
          'user-agent': 'mine/1',
          'content-type': 'application/merge-patch+json',
        },
        ...{ 'x-empty': '', 'x-tilde~!': '~', 'accept-encoding': 'identity' },
      });
    });

    it('Authorization, which is neither stored nor shown', async () => {
      const secret = 'Bearer very-secret-7f3a';
      const answer = await ask('/status?code=403', { headers: { Authorization: secret } });
      expect(droplet.seen[0]?.headers.authorization).toBe(secret);
      expect(answer.text).not.toContain('very-secret');
      expect((await orchestrator.get(`/orchestrator/tasks/${answer.json.task_id}`)).text).not.toContain('very-secret');
    });

    it.each([
      ...[
        'Host',
        'Content-Length',
        'Transfer-Encoding',
        'Connection',
        'Keep-Alive',
        'Upgrade',
        'TE',
        'Trailer',
        'Cookie',
        'Expect',
      ],
      ...['Proxy-Authorization', 'Proxy-Connection', 'Proxy-X', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Whatever'],
      ...[
        'X-Task-Id',
        'X-Task-Attempt',
        'X-Task-Deadline-Ms',
        'X-Task-New',
        'Idempotency-Key',
        'Accept-Encoding',
        'X-Request-ID',
      ],
      ...['traceparent', 'tracestate', 'hOsT', 'TRANSFER-ENCODING', 'x-task-id', 'COOKIE'],
    ])('but never %s: 400, and the droplet hears nothing', async (name) => {
      const { status, json } = await ask('/echo', { headers: { [name]: 'seeded-value' } });
      expect([status, json.error.code, json.error.details.errors[0].field]).toEqual([400, 'INVALID_REQUEST', 'headers']);
      expect(JSON.stringify(json)).not.toContain('seeded-value');
      expect(droplet.hits()).toBe(0);
    });

    it.each([
      ['CR in a value', { 'x-a': 'b\rc' }],
      ['LF in a value', { 'x-a': 'b\nHost: evil' }],
      ['CRLF in a value', { 'x-a': 'b\r\nX-Task-Id: evil' }],
      ['NUL in a value', { 'x-a': 'b\0' }],
      ['what is not ASCII in a value', { 'x-a': 'é' }],
      ['DEL in a value', { 'x-a': '\x7f' }],
      ['CRLF in a name', { 'x-a\r\nx-b': 'c' }],
      ['a space in a name', { 'x a': 'b' }],
      ['a colon in a name', { 'x:a': 'b' }],
      ['an empty name', { '': 'b' }],
      ['NUL in a name', { 'x\0': 'b' }],
      ['a number as value', { 'x-a': 1 }],
      ['the same name twice', { 'x-a': '1', 'X-A': '2' }],
      ['33 headers', Object.fromEntries(Array.from({ length: 33 }, (_, nth) => [`x-${nth}`, '']))],
      ['over 8 KiB', { 'x-a': 'a'.repeat(8192) }],
      ['a list', []],
      ['a text', 'x-a: b'],
    ])('nor %s', async (_title, headers) => {
      const { status, json } = await ask('/echo', { headers });
      expect([status, json.error.code]).toEqual([400, 'INVALID_REQUEST']);
      expect(droplet.hits()).toBe(0);
    });
  });

  describe('send the payload', () => {
    const PAYLOADS = [{ a: [1, { b: null }] }, [1, 'two', null], 'text', '', 0, -1.5, true, false, {}, []];

    it.each(['GET', 'POST', 'PUT', 'DELETE', 'PATCH'])('of a %s, whatever JSON it is', async (method) => {
      for (const payload of PAYLOADS) {
        const { json } = await ask('/echo', { method, payload });
        expect(json).toMatchObject({ status: 'success', attempts: 1 });
        const { body, headers, method: seen } = json.response_body;
        expect([seen, JSON.parse(body), headers['content-type']]).toEqual([method, payload, 'application/json']);
        expect(headers['content-length']).toBe(String(Buffer.byteLength(body)));
      }
    });

    it.each(['GET', 'POST', 'PUT', 'DELETE', 'PATCH'])('of a %s only when there is one', async (method) => {
      for (const more of [{}, { payload: null }]) {
        const { body, headers } = (await ask('/echo', { method, ...more })).json.response_body;
        expect([body, headers['content-type'], headers['content-length'] ?? '0']).toEqual(['', undefined, '0']);
      }
    });

    it('again with every attempt', async () => {
      busy();
      await ask('/x', { method: 'PUT', payload: { again: 'é' } });
      expect(droplet.seen.map(({ body }) => body)).toEqual(Array(3).fill('{"again":"é"}'));
    });

    it('with numbers as they were written', async () => {
      await orchestrator.task('{"droplet_name":"echo","path":"/echo","method":"POST","payload":[9007199254740993,1e400,1.0,-0]}');
      expect(droplet.seen[0]?.body).toBe('[9007199254740993,1e400,1.0,-0]');
    });
  });

  it('send the path byte for byte', async () => {
    for (const path of [
      '/echo?a=%2f%5C&b=..//',
      '/echo?',
      '/echo?q="<>^`{|}\\',
      "/a%20b/%C3%A9;v=1/~x!$&'()*+,=:@",
      '/..a/b../...',
    ]) {
      await ask(path);
      expect(droplet.seen.at(-1)?.url).toBe(path);
    }
  });

  it('refuse a path that would leave the droplet, before any call', async () => {
    for (const path of ['/../x', '//evil', '/%2e%2e/x', '/a%2fb', '/a#b', '@evil', '/a b']) {
      const { status, json } = await ask(path);
      expect([status, json.error.code, json.error.details.errors[0].field]).toEqual([400, 'INVALID_REQUEST', 'path']);
    }
    expect(droplet.hits()).toBe(0);
  });
});

describe('retries by the settings', () => {
  const keep = stopsAfterEach();

  it.each([
    ['1', 1],
    ['0', 1],
    ['4', 4],
  ])('TASK_MAX_RETRIES=%s makes %d attempts', async (setting, attempts) => {
    const droplet = keep(await startDroplet());
    const registry = keep(await TestRegistry.start([entry(3, 'echo', droplet.url)]));
    const orchestrator = keep(await TestOrchestrator.start({ REGISTRY_URL: registry.url, TASK_MAX_RETRIES: setting }));
    const { json } = await orchestrator.task({ droplet_name: 'echo', path: '/status?code=500' });
    expect([json.attempts, droplet.hits()]).toEqual([attempts, attempts]);
  });

  it('TASK_TIMEOUT, TASK_ATTEMPT_TIMEOUT and full jitter hold for every task', async () => {
    const droplet = keep(await startDroplet());
    const registry = keep(await TestRegistry.start([entry(3, 'echo', droplet.url)]));
    const orchestrator = keep(
      await TestOrchestrator.start({
        ...{ REGISTRY_URL: registry.url, TASK_TIMEOUT: '0.5', TASK_ATTEMPT_TIMEOUT: '0.2', RETRY_JITTER: 'full' },
        ...{ RETRY_BACKOFF_BASE_MS: '5', RETRY_BACKOFF_MAX_MS: '10', TASK_MAX_RETRIES: '50' },
      }),
    );
    const { json } = await orchestrator.task({ droplet_name: 'echo', path: '/never' });
    expect(json).toMatchObject({ status: 'timeout', error: { details: { stopped_by: 'deadline' } } });
    expect(json.attempts).toBe(3);
    const { history } = (await orchestrator.get(`/orchestrator/tasks/${json.task_id}`)).json;
    for (const { delay_ms } of history) expect(delay_ms).toBeLessThanOrEqual(10);
  });
});
