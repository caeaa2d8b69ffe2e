import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until, type HttpAnswer } from './support/http.client.js';
import {
  drips,
  fullListener,
  MisbehavingDroplet,
  pours,
  says,
  saysAndEnds,
  saysAndResets,
  type FullListener,
  type Misbehaviour,
} from './support/misbehaving.droplet.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { entry, TestRegistry } from './support/registry.js';
import { freePort, rawServer, TestServer } from './support/server.js';

const LIMIT = 1_048_576;
const MIB = Buffer.alloc(LIMIT, 'x');
const CHUNK = `${LIMIT.toString(16)}\r\n${MIB.toString()}\r\n`;
const BOMB = gzipSync(Buffer.alloc(100 * LIMIT));

/** An answer with a proper length. */
const answer = (status: string, body: string | Buffer, ...headers: string[]): Buffer =>
  Buffer.concat([
    Buffer.from([`HTTP/1.1 ${status}`, ...headers, `content-length: ${Buffer.byteLength(body)}`, '', ''].join('\r\n')),
    Buffer.from(body),
  ]);

const JSON_TYPE = 'content-type: application/json';
const CHUNKED = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
const NUMBERS = '{"a":9007199254740993,"b":1e400,"c":1.0,"d":-0,"e":0.1000000000000000055511151231257827}';

const WAYS: Record<string, Misbehaviour> = {
  '/never': () => undefined,
  '/dripping-headers': drips('HTTP/1.1 200 OK\r\nx-slow: ', 'a'),
  '/dripping-body': drips('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n', 'x'),
  '/dripping-chunks': drips(CHUNKED, '1\r\nx\r\n'),
  '/headers-each-second': drips('HTTP/1.1 200 OK\r\nx-slow: ', 'a', 1000),
  '/body-each-second': drips('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n', 'x', 1000),
  '/100-mb': pours('HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n', MIB, 100),
  '/100-mb-announced-only': says('HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n'),
  '/100-mb-unannounced': pours('HTTP/1.1 206 Partial Content\r\nconnection: close\r\n\r\n', MIB, 100),
  '/100-mb-of-error': pours('HTTP/1.1 503 Busy\r\ncontent-length: 104857600\r\n\r\n', MIB, 100),
  '/endless': pours(CHUNKED, CHUNK, Infinity),
  '/bomb': says(answer('200 OK', BOMB, 'content-encoding: gzip', JSON_TYPE)),
  '/too-long': saysAndEnds('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{}'),
  '/too-long-silent': says('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{}'),
  '/too-short': says('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}and more'),
  '/length-twice': says('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{} '),
  '/length-with-chunked': says('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'),
  '/bad-length': says('HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n'),
  '/bad-chunk': says(`${CHUNKED}zz\r\n{}\r\n`),
  '/cut-chunks': saysAndEnds(`${CHUNKED}2\r\n{}\r\n`),
  '/reset-first': (socket) => void socket.resetAndDestroy(),
  '/close-first': (socket) => void socket.end(),
  '/reset-in-headers': saysAndResets('HTTP/1.1 200 OK\r\ncontent-le'),
  '/reset-in-body': saysAndResets('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{"a'),
  '/closes-after': saysAndEnds('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'),
  '/no-length': saysAndEnds('HTTP/1.1 200 OK\r\n\r\n{"until":"close"}'),
  '/http-1.0': saysAndEnds('HTTP/1.0 200 OK\r\n\r\n{"version":"1.0"}'),
  '/bad-json': says(answer('200 OK', '{"a":', JSON_TYPE)),
  '/html-as-json': says(answer('200 OK', '<html></html>', JSON_TYPE)),
  '/json-as-text': says(answer('200 OK', '[1,"two"]', 'content-type: text/plain')),
  '/bom': says(answer('200 OK', '\ufeff{"bom":true}', JSON_TYPE)),
  '/empty': says(answer('200 OK', '', JSON_TYPE)),
  '/204-with-body': says('HTTP/1.1 204 No Content\r\ncontent-length: 7\r\n\r\n{"a":1}'),
  '/204': says('HTTP/1.1 204 No Content\r\n\r\n'),
  '/not-utf8': says(answer('200 OK', Buffer.from([0x61, 0xff, 0xfe, 0x62]))),
  '/not-utf8-json': says(answer('200 OK', Buffer.from([0x22, 0x61, 0xff, 0x22]), JSON_TYPE)),
  '/latin1': says(answer('200 OK', Buffer.from('caf\xe9', 'latin1'), 'content-type: text/plain; charset=iso-8859-1')),
  '/nul': says(answer('200 OK', 'a\0b')),
  '/numbers': says(answer('200 OK', NUMBERS, JSON_TYPE)),
  '/deep': says(answer('200 OK', '['.repeat(100_000) + ']'.repeat(100_000), JSON_TYPE)),
  '/20-kb-header': says(answer('200 OK', '{}', `x-huge: ${'h'.repeat(20_000)}`)),
  '/endless-headers': pours('HTTP/1.1 200 OK\r\n', `x-more: ${'h'.repeat(1000)}\r\n`, Infinity),
  '/ssh': says('SSH-2.0-OpenSSH_9.6\r\n'),
  '/bytes': says(Buffer.from([0, 1, 2, 3, 255, 254, 13, 10, 13, 10])),
  '/html-without-http': saysAndEnds('<html>hello</html>'),
  '/status-xyz': says('HTTP/1.1 xyz OK\r\n\r\n'),
  '/switch': says('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n'),
  '/two-answers': says(Buffer.concat([answer('200 OK', '{"first":true}'), answer('200 OK', '{"second":true}')])),
  '/hints': says(
    Buffer.concat([
      Buffer.from('HTTP/1.1 103 Early Hints\r\ncontent-length: 99999999\r\n\r\n'),
      answer('200 OK', '{"late":true}'),
    ]),
  ),
};

describe('a droplet that misbehaves', () => {
  let droplet: MisbehavingDroplet;
  let sink: TestServer;
  let full: FullListener;
  let plain: Awaited<ReturnType<typeof rawServer>>;
  let registry: TestRegistry;
  let orchestrator: TestOrchestrator;

  beforeAll(async () => {
    sink = await TestServer.start((_seen, response) => response.end('you should not be here'));
    const away = (status: string, to: string) => says(answer(status, '{"moved":true}', `location: ${to}`));
    droplet = await MisbehavingDroplet.start({
      ...WAYS,
      ...{ '/301-metadata': away('301 Moved Permanently', 'http://169.254.169.254/latest/meta-data/') },
      ...{ '/302-metadata': away('302 Found', 'http://[::ffff:a9fe:a9fe]/') },
      ...{ '/302-sink': away('302 Found', sink.url), '/307-sink': away('307 Temporary Redirect', sink.url) },
      ...{ '/308-sink': away('308 Permanent Redirect', `${sink.url}/x`) },
    });
    full = await fullListener();
    plain = await rawServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    registry = await TestRegistry.start([
      entry(3, 'bad', droplet.url),
      entry(4, 'refusing', `http://127.0.0.1:${await freePort()}`),
      entry(5, 'unknown', 'http://no-such-droplet.invalid'),
      entry(6, 'full', full.url),
      entry(7, 'no-tls', plain.url.replace('http:', 'https:')),
      entry(8, 'silent-tls', droplet.url.replace('http:', 'https:')),
    ]);
    orchestrator = await TestOrchestrator.start({ REGISTRY_URL: registry.url, RESPONSE_LIMIT: String(LIMIT) });
  });

  afterAll(async () => {
    await orchestrator.stop();
    await registry.stop();
    await full.stop();
    await plain.stop();
    await droplet.stop();
    await sink.stop();
  });

  const ask = (path: string, more: object = {}): Promise<HttpAnswer> => orchestrator.task({ droplet_name: 'bad', path, ...more });

  const unreachable = (effect: string, attempts = 3) => ({
    ...{ status: 'error', response_status: null, response_body: null, retry_count: attempts, attempts },
    error: { code: 'DROPLET_UNREACHABLE', message: expect.any(String), details: { effect, stopped_by: 'attempts' } },
  });

  describe('gives no connection', () => {
    it.each(['refusing', 'unknown', 'no-tls'])('%s: tried three times with any method, without effect', async (droplet_name) => {
      for (const method of ['GET', 'POST']) {
        const { status, json } = await orchestrator.task({ droplet_name, method, path: '/x', retry_unsafe: false });
        expect([status, json]).toMatchObject([200, unreachable('none')]);
      }
    });

    it.each([
      ['full', 'its queue is full'],
      ['silent-tls', 'it never ends the TLS handshake'],
    ])('%s: %s, so it is given up after the connect timeout, long before the attempt is over', async (droplet_name) => {
      const { json } = await orchestrator.task({ droplet_name, path: '/x', max_attempts: 1, attempt_timeout_ms: 60_000 });
      expect(json).toMatchObject(unreachable('none', 1));
      expect(json.error.message).toMatch(/timeout/i);
      expect(json.duration_ms).toBeGreaterThan(1500);
      expect(json.duration_ms).toBeLessThan(8000);
    });

    it('within an attempt shorter than the connect timeout: a timeout, without effect', async () => {
      const { json } = await orchestrator.task({ droplet_name: 'full', path: '/x', max_attempts: 2, attempt_timeout_ms: 100 });
      expect(json).toMatchObject({ status: 'timeout', response_status: null, attempts: 2, retry_count: 2 });
      expect(json.error).toMatchObject({ code: 'TIMEOUT', details: { effect: 'none', stopped_by: 'attempts' } });
    });
  });

  describe('takes its time', () => {
    it.each(['/never', '/dripping-headers', '/dripping-body', '/dripping-chunks', '/too-long-silent'])(
      '%s: each attempt ends at its time limit, the body included, and so does its connection',
      async (path) => {
        const { status, json } = await ask(path, { attempt_timeout_ms: 200, max_attempts: 2 });
        expect(status).toBe(200);
        expect(json).toMatchObject({
          status: 'timeout',
          response_status: null,
          response_body: null,
          attempts: 2,
          retry_count: 2,
        });
        expect(json.error).toMatchObject({ code: 'TIMEOUT', details: { effect: 'unknown', stopped_by: 'attempts' } });
        expect(json.duration_ms).toBeGreaterThanOrEqual(390);
        expect(droplet.hits(path)).toBe(2);
        await until(() => droplet.closed[path] === 2);
      },
    );

    it('a byte a second does not buy it time, neither in the headers nor in the body', async () => {
      const paths = ['/headers-each-second', '/body-each-second'];
      const limits = { attempt_timeout_ms: 2500, max_attempts: 1 };
      const answers = await Promise.all(paths.map((path) => ask(path, limits)));
      for (const { json } of answers) {
        expect(json).toMatchObject({ status: 'timeout', response_status: null, response_body: null, error: { code: 'TIMEOUT' } });
        expect(json.duration_ms).toBeGreaterThanOrEqual(2490);
      }
      for (const path of paths) await until(() => droplet.closed[path] === 1);
    });

    it('and the deadline of the task ends it, though the attempt might last longer', async () => {
      const before = droplet.hits('/never');
      const { json } = await ask('/never', { attempt_timeout_ms: 60_000, timeout_ms: 150 });
      expect(json).toMatchObject({ status: 'timeout', attempts: 1, retry_count: 1, error: { code: 'TIMEOUT' } });
      expect(json.error.details).toEqual({ effect: 'unknown', stopped_by: 'deadline' });
      expect(droplet.hits('/never') - before).toBe(1);
    });
  });

  describe('says too much', () => {
    it.each([
      ['/100-mb', 200],
      ['/100-mb-announced-only', 200],
      ['/100-mb-unannounced', 206],
      ['/100-mb-of-error', 503],
      ['/endless', 200],
    ])('%s: stopped at the limit, not asked again, its status %d kept', async (path, code) => {
      const { status, json } = await ask(path);
      expect([status, json.response_status, json.response_body]).toEqual([200, code, null]);
      expect(json).toMatchObject({ status: 'error', attempts: 1, retry_count: 1, error: { code: 'RESPONSE_TOO_LARGE' } });
      expect(json.error.details).toEqual({ effect: 'unknown', stopped_by: null });
      expect(droplet.hits(path)).toBe(1);
      await until(() => droplet.closed[path]);
      // What the sockets hold on both sides comes on top of the limit.
      expect(droplet.sent[path]).toBeLessThan(40 * LIMIT);
      const record = await orchestrator.get(`/orchestrator/tasks/${json.task_id}`);
      expect(record.json).toMatchObject({ response_status: code, response_body: null, error: { code: 'RESPONSE_TOO_LARGE' } });
    });

    it('twenty times at once: each is stopped, and the memory stays flat', async () => {
      const before = process.memoryUsage().rss;
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask('/100-mb-unannounced')));
      expect(answers.map(({ json }) => json.error?.code)).toEqual(Array(20).fill('RESPONSE_TOO_LARGE'));
      // Twenty whole answers would be two thousand MiB.
      expect(process.memoryUsage().rss - before).toBeLessThan(600 * LIMIT);
    });

    it('in gzip: identity was asked for, so nothing is inflated', async () => {
      const { json } = await ask('/bomb');
      expect([json.status, json.response_status, typeof json.response_body]).toEqual(['success', 200, 'string']);
      expect(json.response_body.length).toBeLessThanOrEqual(BOMB.length);
      expect(droplet.texts.at(-1)).toMatch(/^accept-encoding: identity\r$/m);
    });

    it.each(['/20-kb-header', '/endless-headers'])('%s: cut off as no answer', async (path) => {
      expect((await ask(path, { max_attempts: 2 })).json).toMatchObject(unreachable('unknown', 2));
      await until(() => droplet.closed[path] === 2);
    });
  });

  describe('breaks off or breaks HTTP', () => {
    it.each([
      ...['/too-long', '/length-twice', '/length-with-chunked', '/bad-length', '/bad-chunk', '/cut-chunks', '/reset-first'],
      ...[
        '/close-first',
        '/reset-in-headers',
        '/reset-in-body',
        '/ssh',
        '/bytes',
        '/html-without-http',
        '/status-xyz',
        '/switch',
      ],
    ])('%s: unreachable after three attempts, effect unknown', async (path) => {
      const { status, json } = await ask(path);
      expect([status, json]).toMatchObject([200, unreachable('unknown')]);
      expect(droplet.hits(path)).toBe(3);
    });

    it.each(['/reset-first', '/reset-in-body'])(
      '%s after a POST was read: sent once when it must not be done twice',
      async (path) => {
        const before = droplet.hits(path);
        const { json } = await ask(path, { method: 'POST', payload: { once: true }, retry_unsafe: false });
        expect(json).toMatchObject({ status: 'error', attempts: 1, error: { code: 'DROPLET_UNREACHABLE' } });
        expect(json.error.details).toEqual({ effect: 'unknown', stopped_by: null });
        expect(droplet.hits(path) - before).toBe(1);
        expect(droplet.texts.at(-1)).toMatch(/\r\n\r\n\{"once":true\}$/);
      },
    );

    it('closes each connection right after its answer: no GET of fifty shows an error', async () => {
      for (let nth = 0; nth < 50; nth++) {
        const { json } = await ask('/closes-after');
        expect([json.status, json.response_status, json.response_body, json.error]).toEqual(['success', 200, {}, null]);
      }
    });

    it('sends more than it announced: the answer is what was announced, and the next one is not poisoned', async () => {
      for (let nth = 0; nth < 5; nth++) {
        expect((await ask('/too-short')).json).toMatchObject({ status: 'success', response_body: {} });
        expect((await ask('/two-answers')).json).toMatchObject({ status: 'success', response_body: { first: true } });
        expect((await ask('/json-as-text')).json).toMatchObject({ status: 'success', response_body: [1, 'two'] });
      }
    });
  });

  describe('answers oddly', () => {
    it.each<[string, unknown]>([
      ['/bad-json', '{"a":'],
      ['/html-as-json', '<html></html>'],
      ['/json-as-text', [1, 'two']],
      ['/bom', { bom: true }],
      ['/empty', null],
      ['/204', null],
      ['/204-with-body', null],
      ['/not-utf8', 'a\ufffd\ufffdb'],
      ['/not-utf8-json', 'a\ufffd'],
      ['/latin1', 'caf\ufffd'],
      ['/nul', 'a\0b'],
      ['/no-length', { until: 'close' }],
      ['/http-1.0', { version: '1.0' }],
      ['/hints', { late: true }],
    ])('%s: success, and the body is %j, in the reply as in the record', async (path, body) => {
      const { status, json } = await ask(path);
      expect([status, json.status, json.response_body, json.retry_count]).toEqual([200, 'success', body, 0]);
      const record = await orchestrator.get(`/orchestrator/tasks/${json.task_id}`);
      expect([record.json.response_status, record.json.response_body]).toEqual([json.response_status, body]);
      expect((await ask('/json-as-text')).json).toMatchObject({ status: 'success', attempts: 1 });
    });

    it('with numbers that JavaScript cannot keep: they pass as they were written', async () => {
      const { text, json } = await ask('/numbers');
      expect(text).toContain(`"response_body":${NUMBERS}`);
      expect((await orchestrator.get(`/orchestrator/tasks/${json.task_id}`)).text).toContain(`"response_body":${NUMBERS}`);
      expect((await orchestrator.get('/orchestrator/tasks?limit=1')).text).toContain(`"response_body":${NUMBERS}`);
    });

    it('nested a hundred thousand levels deep: passed on, and the process lives', async () => {
      expect((await ask('/deep')).text).toContain('['.repeat(100_000));
      expect((await orchestrator.get('/health/live')).status).toBe(200);
    });

    it.each([
      ['/301-metadata', 301],
      ['/302-metadata', 302],
      ['/302-sink', 302],
      ['/307-sink', 307],
      ['/308-sink', 308],
    ])('%s: the redirect is the answer, never followed', async (path, code) => {
      const { json } = await ask(path);
      expect(json).toMatchObject({
        status: 'error',
        response_status: code,
        response_body: { moved: true },
        attempts: 1,
        retry_count: 0,
      });
      expect(json.error).toMatchObject({ code: 'DROPLET_ERROR', details: { effect: 'none', stopped_by: null } });
      expect([droplet.hits(path), sink.hits()]).toEqual([1, 0]);
    });
  });
});
