import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { STORAGE } from '../src/storage/storage.module.js';
import type { SqliteStorage } from '../src/storage/sqlite/sqlite.storage.js';
import { bearer, KeyFile } from './support/keys.js';
import { TestMesh } from './support/mesh.js';
import { expectDocumentedError, expectSchema, openApi, operation, operations } from './support/open.api.js';
import { OrchestratorProcess } from './support/process.js';
import { freePort } from './support/server.js';

const UNKNOWN = '019c0f3e-7b2a-7c31-9d54-0a1b2c3d4e5f';
const placed = (path: string, key = 'none'): string => path.replace('{id}', UNKNOWN).replace(/\{\w+\}/, key);
const MISSING: Record<string, string> = { '{id}': 'TASK_NOT_FOUND', '{file}': 'NOT_FOUND' };
const submit = operation('submitTask');
const task = { droplet_name: 'orchestrator', path: '/health' };

describe('a server of its own', () => {
  let server: OrchestratorProcess;
  beforeAll(async () => {
    server = await OrchestratorProcess.start({ BODY_LIMIT: '4096', QUEUE_LIMIT: '1' });
  }, 40_000);
  afterAll(() => server.remove());

  const withBody = operations.filter(({ body }) => body !== undefined);

  it.each(withBody.map((each) => [each.id, each] as const))('%s: a wrong, an unreadable and a large body', async (_id, each) => {
    const url = placed(each.path);
    const ask = (body: unknown, headers = {}) => server.request(each.method, url, body, headers);
    expectDocumentedError(each, await ask('{'), 400, 'INVALID_REQUEST');
    expectDocumentedError(each, await ask([1]), 400, 'INVALID_REQUEST');
    expectDocumentedError(each, await ask('<a/>', { 'content-type': 'text/xml' }), 415, 'UNSUPPORTED_MEDIA_TYPE');
    const large = JSON.stringify({ a: 'x'.repeat(16 * 4096) });
    expectDocumentedError(each, await ask(large), 413, 'PAYLOAD_TOO_LARGE');
  });

  const withKey = operations.filter(({ path }) => path.includes('{'));

  it.each(withKey.map((each) => [each.id, each] as const))(
    '%s: what is not there, and a name that is too long',
    async (_id, each) => {
      const body = each.body && Object.values<any>(each.body.content['application/json'].examples)[0].value;
      const code = MISSING[/\{\w+\}/.exec(each.path)?.[0] ?? ''] ?? 'DROPLET_NOT_FOUND';
      expectDocumentedError(each, await server.request(each.method, placed(each.path), body), 404, code);
      const long = each.path.replace(/\{\w+\}/, 'x'.repeat(4000));
      expectDocumentedError(each, await server.request(each.method, long, body), 414, 'INVALID_REQUEST');
    },
  );

  it.each(operations.map((each) => [each.id, each] as const))('%s: headers that are too large', async (_id, each) => {
    const { status, json } = await server.request(each.method, placed(each.path), undefined, { 'x-large': 'x'.repeat(20_000) });
    expect(status).toBe(431);
    expectSchema(json, 'components', 'schemas', 'InvalidRequestError');
  });

  it('tasks and lists that are refused', async () => {
    expectDocumentedError(submit, await server.task({ ...task, droplet_name: 'nobody' }), 400, 'DROPLET_NOT_FOUND');
    expectDocumentedError(submit, await server.task({ ...task, path: 'no' }), 400, 'INVALID_REQUEST');
    const key = { 'idempotency-key': 'openapi' };
    await server.task(task, key);
    expectDocumentedError(submit, await server.task({ ...task, path: '/' }, key), 422, 'IDEMPOTENCY_MISMATCH');
    expectDocumentedError(operation('listTasks'), await server.get('/tasks?limit=0'), 400, 'INVALID_REQUEST');
    expectDocumentedError(operation('followTasks'), await server.get('/tasks/events?limit=0'), 400, 'INVALID_REQUEST');
  });

  it('a paused droplet, and a queue that is full', async () => {
    await server.post('/droplets/orchestrator/pause');
    expectDocumentedError(submit, await server.task(task), 503, 'CIRCUIT_OPEN');
    await server.post('/droplets/orchestrator/resume');
    const { json } = await server.task({ ...task, delay_ms: 600_000 });
    expectDocumentedError(submit, await server.task({ ...task, delay_ms: 600_000 }), 503, 'OVERLOADED');
    const batch = await server.post('/tasks/batch', { tasks: [task] });
    expectDocumentedError(operation('submitBatch'), batch, 503, 'OVERLOADED');
    await server.request('DELETE', `/tasks/${json.task_id}`);
  });

  it('what the state of things does not allow', async () => {
    const { json } = await server.task(task);
    expectDocumentedError(operation('cancelTask'), await server.request('DELETE', `/tasks/${json.task_id}`), 409, 'CONFLICT');
    expectDocumentedError(operation('retryTask'), await server.post(`/tasks/${json.task_id}/retry`), 409, 'CONFLICT');
    const entry = { name: 'orchestrator', endpoint: 'http://127.0.0.1:1' };
    expectDocumentedError(operation('addDroplet'), await server.post('/droplets', entry), 409, 'CONFLICT');
    expectDocumentedError(operation('registerDroplet'), await server.post('/register', entry), 409, 'CONFLICT');
    expectDocumentedError(operation('removeDroplet'), await server.request('DELETE', '/droplets/orchestrator'), 409, 'CONFLICT');
    const renamed = await server.request('PATCH', '/droplets/orchestrator', { name: 'other' });
    expectDocumentedError(operation('changeDroplet'), renamed, 409, 'CONFLICT');
  });

  it('paths and methods that are not there', async () => {
    const [missing, wrong] = [await server.get('/taskz'), await server.request('PUT', '/tasks', {})];
    expect([missing.status, wrong.status, wrong.headers.get('allow')]).toEqual([404, 405, 'GET, HEAD, POST']);
    expectSchema(missing.json, 'components', 'schemas', 'NotFoundError');
    expectSchema(wrong.json, 'components', 'schemas', 'MethodNotAllowedError');
    expect(openApi.components.responses['MethodNotAllowed-405'].headers).toHaveProperty('Allow');
  });
});

describe('a server that asks for keys', () => {
  const keys = new KeyFile([
    { key: 'key-of-nothing', name: 'nothing', scopes: [] },
    { key: 'key-of-slow', name: 'slow', scopes: ['admin'], rate_per_second: 0.01 },
  ]);
  let server: OrchestratorProcess;
  beforeAll(async () => {
    server = await OrchestratorProcess.start({ AUTH_MODE: 'apikey', API_KEYS_FILE: keys.path, METRICS_PUBLIC: 'false' });
    await server.get('/info', bearer('key-of-slow'));
  }, 40_000);
  afterAll(() => server.remove());

  const guarded = operations.filter(({ pointer }) => pointer !== '' && isGuarded(pointer));

  it.each(guarded.map((each) => [each.id, each] as const))(
    '%s: no key, a key that may not, and one that asks too often',
    async (_id, each) => {
      const ask = (headers: Record<string, string>) => server.request(each.method, placed(each.path), undefined, headers);
      expectDocumentedError(each, await ask({}), 401, 'UNAUTHORIZED');
      expectDocumentedError(each, await ask(bearer('key-of-slow')), 429, 'RATE_LIMITED');
      if (!each.path.includes('/metrics')) expectDocumentedError(each, await ask(bearer('key-of-nothing')), 403, 'FORBIDDEN');
    },
  );

  it('lets everybody have what the document says needs no key', async () => {
    const open = operations.filter(({ pointer }) => !isGuarded(pointer));
    expect(open.map(({ id }) => id)).toEqual(expect.arrayContaining(['getOpenApi', 'getDocs', 'getHealth', 'getIndex']));
    for (const { path } of open) {
      expect([path, (await server.get(path.replace('{file}', 'main.js'))).status]).toEqual([path, 200]);
    }
  });
});

function isGuarded(pointer: string): boolean {
  const [, url = '', method = ''] = pointer.slice(2).split('/');
  return openApi.paths[url.replaceAll('~1', '/')][method].security.length > 0;
}

it('a Registry that never answered', async () => {
  const server = await OrchestratorProcess.start({
    REGISTRY_URL: `http://127.0.0.1:${await freePort()}`,
    REGISTRY_TIMEOUT: '0.2',
  });
  try {
    expectDocumentedError(operation('listDroplets'), await server.get('/droplets'), 503, 'REGISTRY_ERROR');
    expectDocumentedError(operation('isReady'), await server.get('/health/ready'), 503, 'NOT_READY');
    const entry = { name: 'billing', endpoint: 'http://127.0.0.1:1' };
    expectDocumentedError(operation('addDroplet'), await server.post('/droplets', entry), 409, 'CONFLICT');
  } finally {
    await server.remove();
  }
}, 40_000);

it('a store that cannot be written, and a key whose first request still runs', async () => {
  const { orchestrator, ...mesh } = await TestMesh.start();
  try {
    const key = { 'idempotency-key': 'still' };
    const first = orchestrator.task({ droplet_name: 'echo', path: '/slow?ms=300' }, key);
    const again = () => orchestrator.task({ droplet_name: 'echo', path: '/slow?ms=300' }, key);
    let answer = await again();
    while (answer.status === 200 && answer.json.status === 'running') answer = await again();
    expectDocumentedError(submit, answer, 409, 'CONFLICT');
    await first;
    orchestrator.app.get<SqliteStorage>(STORAGE).database.exec('PRAGMA query_only = 1');
    await orchestrator.task({ droplet_name: 'echo', path: '/health' });
    expectDocumentedError(submit, await orchestrator.task({ droplet_name: 'echo', path: '/health' }), 503, 'STORAGE_UNAVAILABLE');
    orchestrator.app.get<SqliteStorage>(STORAGE).database.exec('PRAGMA query_only = 0');
  } finally {
    await orchestrator.stop();
    await mesh.registry.stop();
    await mesh.droplet.stop();
  }
});
