import fc, { type Arbitrary } from 'fast-check';
import { hostileJson } from './hostile.values.js';

/** JSON texts of one field that are mostly right. */
type Field = Arbitrary<string>;

export interface FuzzRoute {
  readonly method: string;
  /** `:id`, `:key`, `:name` and `:file` are filled in. */
  readonly path: string;
  readonly fields?: Readonly<Record<string, Field>>;
  readonly query?: readonly string[];
}

/** Where fuzzed tasks and droplets may lead to; nothing else is ever called. */
export interface Places {
  readonly droplet: string;
  /** Registered nowhere: a call there is one that was talked out of its droplet. */
  readonly canary: string;
}

const json = (...values: readonly unknown[]): Field => fc.constantFrom(...values.map((value) => JSON.stringify(value)));

const text = (): Field => fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).map((value) => JSON.stringify(value));
const int = (min: number, max: number): Field => fc.integer({ min, max }).map(String);
const droplet = (): Field => json('echo', 'echo', 'echo', 'Echo', 'orchestrator', 'gone', 'nobody', 'd1');
const time = (): Field => json('2020-01-01T00:00:00Z', '2026-01-01T00:00:00.5+01:00', 1_700_000_000, 0);

const PATHS = ['/echo', '/echo?a=b', '/text', '/array', '/empty', '/none', '/broken-json', '/reset', '/slow?ms=5'];
const CODES = [204, 301, 400, 404, 429, 500, 501, 503];

function taskPath({ canary }: Places): Field {
  const evil = new URL(canary).host;
  const away = [
    `@${evil}/x`,
    `//${evil}/x`,
    `/\\${evil}/x`,
    `/..//${evil}/x`,
    `http://${evil}/x`,
    `/redirect?to=${canary}`,
    `.${evil}`,
  ];
  return json(...PATHS, ...PATHS, ...CODES.map((code) => `/status?code=${code}`), ...away);
}

const taskFields = (places: Places): Record<string, Field> => ({
  droplet_name: droplet(),
  path: taskPath(places),
  method: json('GET', 'POST', 'PUT', 'DELETE', 'PATCH'),
  payload: hostileJson(),
  meta: json({ a: 'b' }, { __proto: 'x' }, null),
  headers: json({ 'x-a': 'b' }, { host: 'evil' }, { 'x-b': 'a\r\nb' }, null),
  timeout_ms: int(100, 500),
  attempt_timeout_ms: int(100, 300),
  max_attempts: int(1, 3),
  retry_unsafe: json(true, false),
  priority: int(0, 9),
  delay_ms: int(0, 50),
  run_at: json('2020-01-01T00:00:00Z', null),
  callback_url: json(`${places.droplet}/echo`, null),
});

const dropletFields = ({ droplet: url }: Places): Record<string, Field> => ({
  name: json('d1', 'd2', 'd3', 'D1', 'echo', 'gone'),
  id: int(1, 20),
  endpoint: json(url, `${url}/base`, 'http://127.0.0.1:1', 'http://169.254.169.254/', 'http://user@127.0.0.1:1'),
  url: json(url, 'http://127.0.0.1:1', null),
  steward: text(),
  status: json('active', 'inactive', 'error'),
  metadata: hostileJson(),
  version: text(),
  proof: hostileJson(),
  cost_usd: int(0, 9),
  yield_usd: int(0, 9),
});

const messageFields = (places: Places): Record<string, Field> => ({
  trace_id: text(),
  source: text(),
  target: droplet(),
  message_type: json('status', 'event', 'command', 'query'),
  payload: fc.oneof(
    json(
      { command: 'create_task', task_data: { droplet_name: 'echo', path: '/echo' } },
      { command: 'create_task', task_data: { droplet_name: 'echo', path: `//${new URL(places.canary).host}` } },
      ...['cancel_task', '__proto__', 'create_task'].map((command) => ({ command, task_id: 'x', task_data: [] })),
      ...['task_status', 'droplet_list', 'system_status', 'constructor'].map((query) => ({ query, task_id: 5 })),
    ),
    hostileJson(),
  ),
  timestamp: json('2020-01-01T00:00:00Z', 'yesterday'),
  priority: json('high', 'normal', 'low'),
  retry_count: int(1, 2),
});

const LIST = ['status', 'droplet_name', 'limit', 'created_after', 'created_before', 'cursor', 'meta.a', 'meta.__proto__'];

/** Every route that there is, with what it reads. */
export function fuzzRoutes(places: Places): readonly FuzzRoute[] {
  const task = taskFields(places);
  const batch = fc
    .array(fc.oneof(fc.constant('{"droplet_name":"echo","path":"/echo"}'), hostileJson()), { maxLength: 5 })
    .map((tasks) => `[${tasks.join(',')}]`);
  const retry = {
    ...{ status: json('error', 'timeout', 'cancelled'), droplet_name: droplet(), created_after: time() },
    ...{ created_before: time(), limit: int(1, 20), rate_per_second: int(1, 1000) },
  };
  const reads = [
    '/',
    '/info',
    '/capabilities',
    '/state',
    '/dependencies',
    '/health',
    '/health/live',
    '/health/ready',
    '/health/startup',
    '/openapi.json',
    '/docs',
    '/dashboard',
  ];
  return [
    { method: 'POST', path: '/tasks', fields: task },
    { method: 'POST', path: '/tasks/batch', fields: { tasks: batch } },
    { method: 'GET', path: '/tasks', query: LIST },
    { method: 'POST', path: '/tasks/retry', fields: retry },
    { method: 'GET', path: '/tasks/events', query: LIST },
    { method: 'GET', path: '/tasks/:id' },
    { method: 'DELETE', path: '/tasks/:id' },
    { method: 'POST', path: '/tasks/:id/retry' },
    { method: 'GET', path: '/metrics' },
    { method: 'GET', path: '/metrics/prometheus' },
    { method: 'GET', path: '/metrics/history', query: ['since'] },
    { method: 'GET', path: '/droplets' },
    { method: 'GET', path: '/droplets/name/:name' },
    { method: 'GET', path: '/droplets/:key' },
    { method: 'GET', path: '/dashboard/:file' },
    { method: 'POST', path: '/register', fields: dropletFields(places) },
    { method: 'POST', path: '/droplets', fields: dropletFields(places) },
    { method: 'PATCH', path: '/droplets/:key', fields: dropletFields(places) },
    { method: 'DELETE', path: '/droplets/:key' },
    { method: 'POST', path: '/droplets/:key/heartbeat', fields: { status: json('active', 'error'), metrics: hostileJson() } },
    { method: 'POST', path: '/droplets/:key/pause' },
    { method: 'POST', path: '/droplets/:key/resume' },
    { method: 'POST', path: '/droplets/:key/breaker', fields: { state: json('open', 'closed', 'auto') } },
    { method: 'POST', path: '/message', fields: messageFields(places) },
    { method: 'POST', path: '/send', fields: messageFields(places) },
    { method: 'GET', path: '/message' },
    { method: 'GET', path: '/send' },
    ...reads.map((path) => ({ method: 'GET', path, query: ['verbose'] })),
  ];
}
