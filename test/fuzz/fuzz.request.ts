import fc, { type Arbitrary } from 'fast-check';
import type { FuzzRoute } from './fuzz.routes.js';
import { hostileJson, hostileString, urlText } from './hostile.values.js';

/** A request as `node:http` can send it. */
export interface FuzzRequest {
  readonly method: string;
  /** `{known}` stands for the id of a task that was made a moment ago. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
}

/** Mostly nothing; now and then this. */
const rarely = <T>(arbitrary: Arbitrary<T>, odds = 6): Arbitrary<T | null> =>
  fc.option(arbitrary, { freq: 1, nil: null }).chain((value) => fc.nat(odds).map((dice) => (dice === 0 ? value : null)));

const TASK_IDS = ['{known}', '{known}', '{known}', '01a208aa-36cc-7381-8cf1-778459578aeb', '{known}%00'];
const DROPLET_KEYS = ['echo', 'Echo', 'd1', 'd2', 'd3', 'gone', '1', '2', '3', '-1', '1e9', '99999999999999999999'];

const FILES = ['main.js', 'dom.js', 'icon.svg', 'early.js', 'index.html', '..%2f..%2fpackage.json', '__proto__'];

/** What stands in a path for the first of these names in it, mostly. */
const CHOICES: readonly (readonly [string, readonly string[]])[] = [
  [':id', TASK_IDS],
  [':file', FILES],
  [':', DROPLET_KEYS],
];

function filled(path: string): Arbitrary<string> {
  const [, choices = ['']] = CHOICES.find(([name]) => path.includes(name)) ?? [];
  return fc
    .oneof({ weight: 3, arbitrary: fc.constantFrom(...choices) }, { weight: 1, arbitrary: urlText() })
    .map((value) => path.replace(/:\w+/, () => value));
}

function queryOf(names: readonly string[]): Arbitrary<string> {
  const value = fc.oneof(
    fc.constantFrom('1', '100', '1000', 'error', 'queued', 'success', 'echo', '2020-01-01T00:00:00Z'),
    urlText(),
  );
  const name = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...names, 'limit[]', '__proto__', 'meta.') },
    { weight: 1, arbitrary: urlText() },
  );
  const pair = fc.tuple(name, value).map((both) => both.join('='));
  return fc.array(pair, { maxLength: 4 }).map((pairs) => (pairs.length === 0 ? '' : `?${pairs.join('&')}`));
}

/** The same place as others write it. */
const STYLES: readonly ((path: string) => string)[] = [
  (path) => path,
  (path) => `/orchestrator${path}`,
  (path) => `/orchestrator${path}`,
  (path) => path.replace(/(?=\?|$)/, '/'),
  (path) => `//orchestrator${path}`,
  (path) => `http://evil.test${path}`,
  (path) => `/orchestrator/orchestrator${path}`,
  (path) => path.replace(/[a-z]/g, (letter) => letter.toUpperCase()),
  (path) => `/.${path}`,
];

const VALUES: Readonly<Record<string, readonly string[]>> = {
  accept: ['*/*', 'text/plain', 'application/openmetrics-text', 'text/html;q=0.9', ';;;', 'text/event-stream', 'a/b;q=2'],
  prefer: ['respond-async', 'wait=0', 'wait=1', 'respond-async, wait=1', 'wait=-1', 'wait="', ',,,'],
  'idempotency-key': ['k1', 'k2', 'k3', 'k4', 'two words', 'é', 'x'.repeat(256), ''],
  'x-request-id': ['mine', '', 'a b', 'x'.repeat(129), '__proto__'],
  'last-event-id': ['0', 'x-1', 'x-99999999999999999999', '-'],
  expect: ['100-continue', '200-ok'],
  host: ['', 'evil.test', 'a:b:c', '[::1'],
  connection: ['close', 'keep-alive', 'x-request-id'],
  authorization: ['Bearer x', 'Basic', 'é'],
  traceparent: ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', '00-0-0-0', 'x'],
  'x-forwarded-host': ['evil.test'],
  'content-encoding': ['gzip', 'identity'],
  range: ['bytes=0-1'],
  cookie: ['__proto__=1'],
};

/** Bytes that no client may put into a header are for the raw fuzzer. */
const headerText = (): Arbitrary<string> => hostileString().map((text) => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, ''));

function headers(): Arbitrary<Record<string, string>> {
  const one = fc
    .constantFrom(...Object.keys(VALUES))
    .chain((name) =>
      fc
        .oneof({ weight: 4, arbitrary: fc.constantFrom(...VALUES[name]!) }, { weight: 1, arbitrary: headerText() })
        .map((value) => [name, value] as const),
    );
  return fc.array(one, { maxLength: 3 }).map((pairs) => Object.fromEntries(pairs));
}

const TYPES = [
  'application/json; charset=utf-16',
  'application/problem+json',
  'text/plain',
  'multipart/form-data',
  'application/json;',
  'x',
  '',
];

const contentType = (): Arbitrary<string> =>
  fc.oneof({ weight: 12, arbitrary: fc.constant('application/json') }, { weight: 1, arbitrary: fc.constantFrom(...TYPES) });

/** An object with most of the fields, right or wrong, and sometimes others. */
function objectText(fields: Readonly<Record<string, Arbitrary<string>>>): Arbitrary<string> {
  const members = Object.entries(fields).map(([name, right]) =>
    fc
      .oneof({ weight: 10, arbitrary: right }, { weight: 1, arbitrary: hostileJson() })
      .chain((value) => fc.nat(3).map((dice) => (dice === 0 && !REQUIRED.has(name) ? null : `${JSON.stringify(name)}:${value}`))),
  );
  const other = rarely(fc.tuple(hostileString(), hostileJson()).map(([name, value]) => `${JSON.stringify(name)}:${value}`));
  return fc.tuple(...members, other).map((texts) => `{${texts.filter((text) => text !== null).join(',')}}`);
}

/** Left out too often, nothing else would be looked at. */
const REQUIRED = new Set(['droplet_name', 'path', 'tasks', 'name', 'trace_id', 'source', 'target', 'message_type']);

function bodyOf(fields: FuzzRoute['fields']): Arbitrary<Buffer | null> {
  if (!fields) return rarely(hostileJson().map((text) => Buffer.from(text)));
  const whole = objectText(fields);
  return fc.oneof(
    { weight: 12, arbitrary: whole.map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: hostileJson().map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: fc.tuple(whole, fc.nat(200)).map(([text, end]) => Buffer.from(text).subarray(0, end)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: fc.constantFrom(null, Buffer.alloc(0), Buffer.alloc(200_000, '['), Buffer.alloc(70_000, ' ')) },
  );
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY', 'M-SEARCH'];

function requestTo(route: FuzzRoute): Arbitrary<FuzzRequest> {
  const place = fc.tuple(filled(route.path), queryOf(route.query ?? ['x']), fc.constantFrom(...STYLES));
  return fc
    .record({
      method: fc.oneof(
        { weight: 15, arbitrary: fc.constant(route.method) },
        { weight: 1, arbitrary: fc.constantFrom(...METHODS) },
      ),
      path: place.map(([path, query, style]) => style(path + query)),
      more: headers(),
      type: contentType(),
      body: bodyOf(route.fields),
    })
    .map(({ more, type, body, ...rest }) => ({ ...rest, body, headers: { ...(body ? { 'content-type': type } : {}), ...more } }));
}

/** Any request to any route. */
export const fuzzRequest = (routes: readonly FuzzRoute[]): Arbitrary<FuzzRequest> => fc.oneof(...routes.map(requestTo));
