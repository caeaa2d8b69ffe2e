import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startDroplet } from './support/droplet.js';
import { until } from './support/http.client.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { RawConnection } from './support/raw.client.js';
import { entry, TestRegistry } from './support/registry.js';
import type { TestServer } from './support/server.js';
import { expectError } from './support/udc.error.js';

const MIB = 1024 * 1024;

let droplet: TestServer;
let registry: TestRegistry;
let orchestrator: TestOrchestrator;

beforeAll(async () => {
  droplet = await startDroplet();
  registry = await TestRegistry.start([entry(3, 'Echo', droplet.url)]);
  orchestrator = await TestOrchestrator.start({ REGISTRY_URL: registry.url, BODY_LIMIT: String(32 * MIB) });
});

afterAll(async () => {
  await orchestrator.stop();
  await registry.stop();
  await droplet.stop();
});

/** Posts a body as it is and expects a refusal: the one shape, no droplet called, no task recorded. */
async function expectRefused(body: string | Buffer, headers: Record<string, string> = { 'content-type': 'application/json' }) {
  const calls = droplet.seen.length;
  const total = (await orchestrator.get('/tasks?limit=1')).json.total as number;
  const response = await fetch(`${orchestrator.url}/orchestrator/tasks`, {
    method: 'POST',
    body: new Uint8Array(Buffer.from(body)),
    headers,
  });
  const text = await response.text();
  const json = expectError(
    { status: response.status, headers: response.headers, json: JSON.parse(text) },
    400,
    'INVALID_REQUEST',
  );
  expect(droplet.seen.length).toBe(calls);
  expect((await orchestrator.get('/tasks?limit=1')).json.total).toBe(total);
  return { text, errors: json.error.details.errors as { field: string; message: string }[] };
}

const valid = (more: object = {}): Record<string, unknown> => ({ droplet_name: 'echo', path: '/echo', method: 'POST', ...more });

/** The body that the droplet gets for a payload that is written so. */
async function sent(payload: string, path = '/echo'): Promise<{ body: string; text: string; json: any }> {
  const { status, text, json } = await orchestrator.task(
    `{"droplet_name":"echo","path":"${path}","method":"POST","payload":${payload}}`,
  );
  expect([status, json?.status]).toEqual([200, 'success']);
  return { body: droplet.seen.at(-1)?.body ?? '', text, json };
}

describe('a body that is no task', () => {
  it.each([
    ['malformed', '{"droplet_name":"echo","path":/x}'],
    ['truncated', '{"droplet_name":"echo","path":"/echo"'],
    ['truncated within a string', '{"droplet_name":"ec'],
    ['with a byte order mark', '\uFEFF{"droplet_name":"echo","path":"/echo"}'],
    ['UTF-16', Buffer.from('{"droplet_name":"echo","path":"/echo"}', 'utf16le')],
    ['NaN', '{"droplet_name":"echo","path":"/echo","payload":NaN}'],
    ['Infinity', '{"droplet_name":"echo","path":"/echo","payload":-Infinity}'],
    ['single quotes', "{'droplet_name':'echo','path':'/echo'}"],
    ['a comment', '{"droplet_name":"echo","path":"/echo"/**/}'],
    ['a comma too many', '{"droplet_name":"echo","path":"/echo",}'],
    ['two values', '{"droplet_name":"echo","path":"/echo"}{}'],
    ['a raw NUL in a string', '{"droplet_name":"echo","path":"/echo","payload":"\u0000"}'],
    ['a raw line feed in a string', '{"droplet_name":"echo","path":"/echo","payload":"\n"}'],
    ['invalid UTF-8', Buffer.from([...Buffer.from('{"droplet_name":"echo","path":"/echo","payload":"'), 0xff, 0x22, 0x7d])],
    [
      'overlong UTF-8',
      Buffer.from([...Buffer.from('{"droplet_name":"echo","path":"/echo","payload":"'), 0xc0, 0x80, 0x22, 0x7d]),
    ],
    [
      'a surrogate in UTF-8',
      Buffer.from([...Buffer.from('{"droplet_name":"echo","path":"/echo","payload":"'), 0xed, 0xa0, 0x80, 0x22, 0x7d]),
    ],
    ['empty', ''],
    ['blank', ' \n'],
    ['null', 'null'],
    ['an array', '[]'],
    ['an array of tasks', '[{"droplet_name":"echo","path":"/echo"}]'],
    ['a string', '"echo"'],
    ['a number', '1'],
    ['a number that JavaScript cannot keep', '1e400'],
    ['true', 'true'],
    ['gzip', Buffer.from('1f8b0800000000000003', 'hex')],
  ])('%s: 400', async (_name, body) => {
    const { errors } = await expectRefused(body);
    expect(errors.map(({ field }) => field)).toEqual(['body']);
  });

  it.each(['{}', '{"unknown":1}'])('%s lacks droplet_name and path, and both are named', async (body) => {
    const { errors } = await expectRefused(body);
    expect(new Set(errors.map(({ field }) => field))).toEqual(new Set(['droplet_name', 'path']));
  });

  it('an empty body without a type or with any other is the same as none: 400, not 415', async () => {
    await expectRefused('', {});
    await expectRefused('', { 'content-type': 'text/plain' });
  });

  const NO_MESSAGES = ['', '{', 'null', '[]', '"x"', '1.0', '{}', '{"payload":{"__proto__":1}}'];

  it.each(['/orchestrator/message', '/orchestrator/send'])('POST %s refuses them too', async (path) => {
    for (const body of NO_MESSAGES) expectError(await orchestrator.post(path, body), 400, 'INVALID_REQUEST');
  });

  it('POST /register and /droplets of the built-in Registry refuse them too', async () => {
    const alone = await TestOrchestrator.start();
    for (const path of ['/register', '/droplets'])
      for (const body of NO_MESSAGES) expectError(await alone.post(path, body), 400, 'INVALID_REQUEST');
    await alone.stop();
  });

  it.each([
    ['/message', { trace_id: 'a', source: 1, target: 2, message_type: 'event' }],
    ['/send', { target: 'echo', message_type: 'event' }],
  ])('a payload of POST %s that is no object is refused', async (path, message) => {
    const before = JSON.stringify(message).slice(0, -1);
    for (const payload of ['1', '1.0', '1e400', '"x"', '[]', 'null', 'true']) {
      const json = expectError(await orchestrator.post(path, `${before},"payload":${payload}}`), 400, 'INVALID_REQUEST');
      expect(json.error.details.errors[0].field).toBe('payload');
    }
  });
});

describe('every field with every wrong type', () => {
  const SECRET = 'hunter2';
  const types: Record<string, unknown> = {
    null: null,
    true: true,
    false: false,
    'a number': 7,
    'a fraction': 1000.5,
    'a string': SECRET,
    'an empty string': '',
    'an array': [SECRET],
    'an object': { a: { b: SECRET } },
    'an empty array': [],
  };
  /** Which of those a field takes. */
  const fields: Record<string, readonly string[]> = {
    droplet_name: ['a string'],
    method: [],
    path: [],
    payload: Object.keys(types),
    meta: ['null'],
    headers: ['null'],
    timeout_ms: ['null'],
    attempt_timeout_ms: ['null'],
    max_attempts: ['null', 'a number'],
    retry_unsafe: ['null', 'true', 'false'],
    priority: ['null', 'a number'],
    delay_ms: ['null', 'a number'],
    run_at: ['null'],
    callback_url: ['null'],
  };
  const wrong = Object.entries(fields).flatMap(([field, taken]) =>
    Object.keys(types)
      .filter((type) => !taken.includes(type))
      .map((type) => [field, type] as const),
  );
  const right = Object.entries(fields).flatMap(([field, taken]) => taken.map((type) => [field, type] as const));

  it.each(wrong)('%s as %s: 400, named, not echoed', async (field, type) => {
    const { text, errors } = await expectRefused(JSON.stringify(valid({ [field]: types[type] })));
    expect(new Set(errors.map((each) => each.field))).toEqual(new Set([field]));
    expect(text).not.toContain(SECRET);
  });

  it.each(right.filter(([field]) => field !== 'droplet_name'))('%s as %s is taken', async (field, type) => {
    const { status, json } = await orchestrator.task(valid({ [field]: types[type] }));
    const isReceipt = field === 'delay_ms' && type !== 'null';
    expect([status, json.status]).toEqual(isReceipt ? [202, 'queued'] : [200, 'success']);
    // Its call must not come in the middle of a test that expects none.
    await until(async () => (await orchestrator.get(`/tasks/${json.task_id}`)).json.status === 'success');
  });

  it.each([
    ['droplet_name', 'x'.repeat(256)],
    ['droplet_name', 'x'.repeat(10_000)],
    ['method', 'get'],
    ['method', 'HEAD'],
    ['method', 'CONNECT'],
    ['method', 'constructor'],
    ['path', 'echo'],
    ['path', '//echo'],
    ['path', `/${'x'.repeat(2048)}`],
    ['path', 'http://elsewhere/'],
    ['path', '/a b'],
    ['path', '/ä'],
    ['path', '/a\u0000'],
    ['path', '/a\r\nX: y'],
    ['path', '/\uD800'],
    ['meta', { a: 1 }],
    ['meta', { a: null }],
    ['meta', { a: { b: 'c' } }],
    ['headers', { a: 1 }],
    ['headers', { 'a b': 'c' }],
    ['headers', { a: 'b\r\nc: d' }],
    ['headers', { a: 'ü' }],
    ['headers', Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`x-${index}`, 'a']))],
    ['headers', { a: 'b'.repeat(8193) }],
    ['timeout_ms', 99],
    ['timeout_ms', 600_001],
    ['timeout_ms', -1],
    ['timeout_ms', 1e300],
    ['attempt_timeout_ms', 99],
    ['attempt_timeout_ms', 120_001],
    ['max_attempts', 0],
    ['max_attempts', 51],
    ['max_attempts', 1.5],
    ['priority', -1],
    ['priority', 10],
    ['delay_ms', -1],
    ['delay_ms', 1e300],
    ['run_at', '2030-01-01T25:00:00Z'],
    ['run_at', '1e9'],
    ['callback_url', 'https://example.org/'],
  ])('%s out of bounds: %j', async (field, value) => {
    const { errors } = await expectRefused(JSON.stringify(valid({ [field]: value })));
    expect(new Set(errors.map((each) => each.field))).toEqual(new Set([field]));
  });

  it.each([
    ['path', `/echo?${'x'.repeat(2042)}`],
    ['timeout_ms', 100],
    ['timeout_ms', 600_000],
    ['timeout_ms', 1000.0],
    ['attempt_timeout_ms', 100],
    ['attempt_timeout_ms', 120_000],
    ['max_attempts', 1],
    ['max_attempts', 50],
    ['priority', 0],
    ['priority', 9],
    ['meta', {}],
    ['headers', {}],
    ['headers', Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`x-${index}`, 'a\tb']))],
  ])('%s at its bounds is taken: %j', async (field, value) => {
    const { status, json } = await orchestrator.task(valid({ [field]: value }));
    expect([status, json.status]).toEqual([200, 'success']);
  });

  it('names every wrong field at once', async () => {
    const { errors } = await expectRefused(JSON.stringify({ droplet_name: 1, path: 2, method: 3, priority: 'x', meta: [] }));
    expect(new Set(errors.map(({ field }) => field))).toEqual(new Set(['droplet_name', 'path', 'method', 'priority', 'meta']));
  });

  it.each(['__proto__', 'constructor', 'toString', 'e\u0441ho', 'echo\u0000', 'echo ', '\uD800', '%65cho', '💧'.repeat(127)])(
    'a droplet called %j is merely unknown',
    async (name) => {
      const json = expectError(await orchestrator.task(valid({ droplet_name: name })), 400, 'DROPLET_NOT_FOUND');
      expect(json.error.details).toEqual({ requested_droplet: name, available_droplets: expect.arrayContaining(['Echo']) });
    },
  );

  it('keys that nobody knows are ignored, also those of the inside', async () => {
    const more = { recorded: false, id: 'x', status: 'success', goneAway: 1, toString: 'x', hasOwnProperty: 1, constructor: 'x' };
    const { status, json } = await orchestrator.task(valid(more));
    expect([status, json.status, json.recorded]).toEqual([200, 'success', true]);
    expect(json.task_id).not.toBe('x');
  });
});

describe('structure', () => {
  const payload = (text: string): string => `{"droplet_name":"echo","path":"/echo","method":"POST","payload":${text}}`;
  const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

  it.each([
    ['__proto__', payload('{"__proto__":{"admin":true}}')],
    ['__proto__ at the top', '{"droplet_name":"echo","path":"/echo","__proto__":{"method":"POST"}}'],
    ['__proto__ written with an escape', payload('[{"\\u005f\\u005fproto__":1}]')],
    ['__proto__ in a field that nobody knows', '{"droplet_name":"echo","path":"/echo","x":[{"__proto__":1}]}'],
    ['constructor.prototype', payload('{"a":{"constructor":{"prototype":{"admin":true}}}}')],
    ['constructor.prototype at the top', '{"droplet_name":"echo","path":"/echo","constructor":{"prototype":{}}}'],
    ['__proto__ in meta', '{"droplet_name":"echo","path":"/echo","meta":{"__proto__":"x"}}'],
    ['__proto__ in headers', '{"droplet_name":"echo","path":"/echo","headers":{"__proto__":"x"}}'],
    ['65 levels', payload(nested(64))],
    ['100,000 levels', payload(nested(100_000))],
    ['100,000 levels of objects', payload(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`)],
    ['a million levels', nested(1_000_000)],
    ['10,001 keys', payload(`{${Array.from({ length: 9998 }, (_, index) => `"k${index}":0`).join(',')}}`)],
    ['a million keys', payload(`[${'{"a":0},'.repeat(999_999)}{"a":0}]`)],
    ['a million names', payload(`{${Array.from({ length: 1_000_000 }, (_, index) => `"k${index}":0`).join(',')}}`)],
  ])('%s: 400', async (_name, body) => {
    const { errors } = await expectRefused(body);
    expect(errors.map(({ field }) => field)).toEqual(['body']);
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
  });

  it('64 levels and 10,000 keys go through to the droplet', async () => {
    const deep = nested(63);
    expect((await sent(deep)).body).toBe(deep);
    const wide = `{${Array.from({ length: 9996 }, (_, index) => `"k${index}":0`).join(',')}}`;
    expect((await sent(wide)).body).toBe(wide);
  });

  it('a word that only looks like a prototype goes through', async () => {
    const text = '{"constructor":"Acme","prototype":{},"a":["__proto__"]}';
    expect((await sent(text)).body).toBe(text);
  });
});

describe('payloads pass as written', () => {
  const numbers = [
    '9007199254740993',
    '-9007199254740993',
    '1e400',
    '-1e400',
    '1.0',
    '-0',
    '-0.0',
    '1E5',
    '1e-7',
    '0.1234567890123456789',
  ];

  it.each([...numbers, `[${numbers.join(',')}]`, '{"a":{"payload":1.0,"b":[1e400]},"c":9007199254740993}'])(
    'numbers that JavaScript cannot keep, to the droplet, back and into the record: %s',
    async (text) => {
      const { body } = await sent(text);
      expect(body).toBe(text);
      const back = await orchestrator.task({ droplet_name: 'echo', path: `/body?text=${encodeURIComponent(text)}` });
      expect(back.text).toContain(`"response_body":${text}`);
      const record = await orchestrator.get(`/orchestrator/tasks/${back.json.task_id}`);
      expect(record.text).toContain(`"response_body":${text}`);
    },
  );

  it.each([
    ['NUL', '"a\\u0000b"'],
    ['a lone surrogate', '"a\\ud800b"'],
    ['a lone surrogate as a name', '{"\\udfff":1}'],
    ['a pair', '"💧"'],
    ['line separators', '"\u2028\u2029"'],
    ['every control character', JSON.stringify(Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).join(''))],
    ['an empty name', '{"":null}'],
    ['false', 'false'],
    ['zero', '0'],
    ['an empty text', '""'],
    ['an empty list', '[]'],
    ['an empty object', '{}'],
  ])('%s', async (_name, text) => {
    expect((await sent(text)).body).toBe(text);
  });

  it('null is no body', async () => {
    expect((await sent('null')).body).toBe('');
    expect(droplet.seen.at(-1)?.headers['content-type']).toBeUndefined();
  });

  it('NUL and lone surrogates in meta are stored and found again', async () => {
    const meta = { 'a\u0000': 'b\u0000c', lone: '\uD800', pair: '💧' };
    const { json } = await orchestrator.task(valid({ meta }));
    expect((await orchestrator.get(`/orchestrator/tasks/${json.task_id}`)).json.meta).toEqual(meta);
    const found = await orchestrator.get(`/orchestrator/tasks?meta.pair=${encodeURIComponent('💧')}`);
    expect(found.json.tasks.map(({ id }: { id: string }) => id)).toContain(json.task_id);
  });

  it('the last of two members of one name wins, as everywhere in JavaScript', async () => {
    expect((await sent('{"a":1.0,"a":2.0}')).body).toBe('{"a":2.0}');
    const { json } = await orchestrator.task('{"droplet_name":"nobody","droplet_name":"echo","path":"/health"}');
    expect(json.status).toBe('success');
  });
});

describe('content types', () => {
  const body = JSON.stringify({ droplet_name: 'echo', path: '/health' });

  async function post(type: string | null, text = body) {
    const connection = await RawConnection.open(orchestrator.url);
    try {
      return await connection
        .request('POST', '/orchestrator/tasks', type === null ? {} : { 'content-type': type }, text)
        .answer();
    } finally {
      connection.destroy();
    }
  }

  it.each([
    ...[
      'application/json',
      'application/json; charset=utf-8',
      'application/json;charset=UTF-8',
      'Application/JSON',
      'application/json ;a=b',
    ],
    ...[
      'application/problem+json',
      'application/vnd.api+json',
      'application/ld+json; profile="x"',
      'application/a+b+json',
      null,
      '',
    ],
  ])('%j is read as JSON', async (type) => {
    const { status, json } = await post(type);
    expect([status, json.status]).toEqual([200, 'success']);
  });

  it.each([
    ...[
      'text/plain',
      'text/json',
      'text/plain; a=application/json',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ],
    ...[
      'application/jsonp',
      'application/json-seq',
      'application/xml',
      'application/octet-stream',
      '*/*',
      'json',
      'application/',
      ';',
      'xapplication/json',
    ],
  ])('%s is 415 when there is a body', async (type) => {
    const calls = droplet.seen.length;
    expectError(await post(type), 415, 'UNSUPPORTED_MEDIA_TYPE');
    expect(droplet.seen.length).toBe(calls);
  });

  describe('an empty body is no body', () => {
    let own: TestOrchestrator;

    beforeAll(async () => {
      own = await TestOrchestrator.start();
    });

    afterAll(() => own.stop());

    it.each(['text/plain', 'application/json', 'application/x-www-form-urlencoded', 'json', '*/*', ';', ''])(
      'whatever its type: %j',
      async (type) => {
        await own.post('/register', { name: 'gone', url: 'http://127.0.0.1:9' });
        const connection = await RawConnection.open(own.url);
        const empty = { 'content-type': type, 'content-length': '0' };
        for (const path of ['/health', '/orchestrator/tasks', '/droplets']) {
          expect((await connection.request('GET', path, empty).answer()).status).toBe(200);
          expect((await connection.request('GET', path, { 'content-type': type }).answer()).status).toBe(200);
        }
        const answer = await connection.request('DELETE', '/droplets/gone', empty).answer();
        expect([answer.status, answer.json?.success]).toEqual([200, true]);
        expectError(await connection.request('POST', '/tasks', empty).answer(), 400, 'INVALID_REQUEST');
        const untold = await connection.request('DELETE', '/droplets/gone', { 'content-type': type }).answer();
        expectError(untold, 404, 'DROPLET_NOT_FOUND');
        connection.destroy();
      },
    );
  });

  it('a body on a GET is ignored', async () => {
    const connection = await RawConnection.open(orchestrator.url);
    for (const type of ['text/plain', 'application/json']) {
      const answer = await connection.request('GET', '/health', { 'content-type': type }, 'not json').answer();
      expect(answer.status).toBe(200);
    }
    connection.destroy();
  });
});

describe('BODY_LIMIT', () => {
  it('is 413 above 1 MiB unless it is set otherwise, and nothing reaches the droplet', async () => {
    const own = await TestOrchestrator.start({ REGISTRY_URL: registry.url });
    const calls = droplet.seen.length;
    const body = (size: number): string => `{"droplet_name":"echo","path":"/health","payload":"${'a'.repeat(size)}"}`;
    const room = MIB - body(0).length;
    const over = await own.task(body(room + 1));
    const callsThen = droplet.seen.length;
    const fits = await own.task(body(room));
    await own.stop();
    expectError(over, 413, 'PAYLOAD_TOO_LARGE');
    expect(callsThen).toBe(calls);
    expect([fits.status, fits.json.status]).toEqual([200, 'success']);
  });
});

describe('queries', () => {
  it.each([
    ...[
      'limit=-1',
      'limit=0',
      'limit=1001',
      'limit=1000000000',
      'limit=1e3',
      'limit=1.5',
      'limit=',
      'limit=x',
      'limit=1&limit=2',
      'limit=%00',
    ],
    ...['created_after=x', 'created_before=2030-13-01', 'created_after=NaN', 'created_after=', 'created_after=1&created_after=2'],
    ...['cursor=unknown', 'cursor=', "cursor=' OR 1=1", 'status=a&status=b', 'droplet_name=a&droplet_name=b'],
  ])('?%s is 400 and names the field', async (query) => {
    const json = expectError(await orchestrator.get(`/orchestrator/tasks?${query}`), 400, 'INVALID_REQUEST');
    expect(json.error.details.errors[0].field).toBe(query.split('=')[0]);
  });

  it.each([
    ...[
      'limit=1',
      'limit=1000',
      'status=unknown',
      'status=__proto__',
      'droplet_name=__proto__',
      'droplet_name=%00',
      '__proto__=1',
    ],
    ...[
      'constructor=1',
      'meta.__proto__=1',
      'meta.=1',
      "meta.a'b=1",
      'meta.a"b=1',
      'meta.a%00=b',
      'meta.$.x=1',
      'meta.a[0]=1',
      'a[b]=1',
      '&&=&',
    ],
    ...[`droplet_name=${'x'.repeat(10_000)}`, 'droplet_name=%ED%A0%80', 'status=%zz', 'unknown=1'],
  ])('?%s is answered', async (query) => {
    const { status, json } = await orchestrator.get(`/orchestrator/tasks?${query}`);
    expect([status, Array.isArray(json.tasks)]).toEqual([200, true]);
  });

  it.each(['..', '%00', '__proto__', "' OR 1=1 --", 'x'.repeat(3000), 'ü'])('no task has the id %s', async (id) => {
    const connection = await RawConnection.open(orchestrator.url);
    const answer = await connection.request('GET', `/orchestrator/tasks/${encodeURIComponent(id)}`).answer();
    expectError(answer, 404, 'TASK_NOT_FOUND');
    connection.destroy();
  });
});
