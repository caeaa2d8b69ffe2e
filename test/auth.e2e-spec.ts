import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import { SCOPES, type Scope } from '../src/common/access.js';
import { EventReader } from './support/event.reader.js';
import { until, type HttpAnswer } from './support/http.client.js';
import { bearer, KeyFile, type TestKey } from './support/keys.js';
import { ROOT } from './support/process.js';
import { declaredRoutes } from './support/routes.js';
import { expectError } from './support/udc.error.js';
import { ASYNC, Gate, TaskMesh } from './support/task.mesh.js';

const KEYS: readonly TestKey[] = [
  ...SCOPES.map((scope) => ({ key: `key-of-${scope}`, name: `only ${scope}`, scopes: [scope] })),
  { key: 'key-of-ann', name: 'ann', scopes: ['tasks:write', 'tasks:read'] },
  { key: 'key-of-bob', name: 'bob', scopes: ['tasks:write', 'tasks:read'] },
  { key: 'key-of-echo-only', name: 'echo only', scopes: ['tasks:write', 'tasks:read'], droplets: ['ECHO'] },
  { key: 'key-of-nothing', name: 'nothing', scopes: [] },
  { key: 'key-of-slow', name: 'slow', scopes: ['tasks:read'], rate_per_second: 0.02 },
  { key: 'key-of-one', name: 'one', scopes: ['tasks:write'], concurrency: 1 },
];

let mesh: TaskMesh;
let file: KeyFile;

beforeAll(async () => {
  file = new KeyFile(KEYS);
  mesh = await TaskMesh.start({ AUTH_MODE: 'apikey', API_KEYS_FILE: file.path, METRICS_PUBLIC: 'false' });
});

afterAll(async () => {
  await mesh.stop();
  rmSync(file.folder, { recursive: true, force: true });
});

const ask = (method: string, path: string, key: string | null, body?: unknown): Promise<HttpAnswer> =>
  mesh.orchestrator.request(method, path, body, key === null ? {} : bearer(key));

const NO_ID = '01890000-0000-7000-8000-000000000000';

/** Every route, with the scope that it asks for. */
const ROUTES: readonly (readonly [method: string, path: string, scope: Scope | 'nothing' | 'any'])[] = [
  ['POST', '/tasks', 'tasks:write'],
  ['POST', '/tasks/batch', 'tasks:write'],
  ['POST', '/tasks/retry', 'tasks:write'],
  ['POST', `/tasks/${NO_ID}/retry`, 'tasks:write'],
  ['DELETE', `/tasks/${NO_ID}`, 'tasks:write'],
  ['GET', '/tasks', 'tasks:read'],
  ['GET', `/tasks/${NO_ID}`, 'tasks:read'],
  ['HEAD', '/tasks', 'tasks:read'],
  ['POST', '/message', 'tasks:write'],
  ['POST', '/send', 'tasks:write'],
  ['GET', '/message', 'nothing'],
  ['GET', '/send', 'nothing'],
  ['GET', '/droplets', 'droplets:read'],
  ['GET', '/droplets/3', 'droplets:read'],
  ['GET', '/droplets/name/Echo', 'droplets:read'],
  ['GET', '/info', 'droplets:read'],
  ['GET', '/state', 'droplets:read'],
  ['GET', '/dependencies', 'droplets:read'],
  ['POST', '/register', 'droplets:write'],
  ['POST', '/droplets', 'droplets:write'],
  ['PATCH', '/droplets/3', 'droplets:write'],
  ['DELETE', '/droplets/3', 'droplets:write'],
  ['POST', '/droplets/3/heartbeat', 'droplets:write'],
  ['POST', '/droplets/none/pause', 'admin'],
  ['POST', '/droplets/none/resume', 'admin'],
  ['POST', '/droplets/none/breaker', 'admin'],
  ['GET', '/metrics', 'any'],
  ['GET', '/metrics/prometheus', 'any'],
  ['GET', '/metrics/history', 'any'],
  ['GET', '/health', 'nothing'],
  ['GET', '/health/live', 'nothing'],
  ['GET', '/health/ready', 'nothing'],
  ['GET', '/health/startup', 'nothing'],
  ['GET', '/capabilities', 'nothing'],
  ['GET', '/openapi.json', 'nothing'],
  ['GET', '/docs', 'nothing'],
  ['GET', '/dashboard', 'nothing'],
  ['GET', '/dashboard/main.js', 'nothing'],
  ['GET', '/', 'nothing'],
];

const STREAM = '/tasks/events';

it('the table above is every route, with what the source says of it', () => {
  const words: Record<string, string> = { Public: 'nothing', PublicAsMetrics: 'any' };
  const declared = declaredRoutes(ROOT).map(({ method, path, access }) => {
    const pattern = new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`);
    const row = ROUTES.find(([verb, url]) => verb === method && pattern.test(url));
    return { method, path, access: words[access ?? ''] ?? access, tested: path === STREAM ? 'tasks:read' : row?.[2] };
  });
  expect(declared.filter(({ access, tested }) => access !== tested)).toEqual([]);
});

const isLetIn = ({ status }: HttpAnswer): boolean => ![401, 403, 429].includes(status);

describe.each(ROUTES)('%s %s', (method, path, needed) => {
  const bare = (key: string | null) => ask(method, path, key, method === 'GET' || method === 'HEAD' ? undefined : {});
  const prefixed = (key: string | null) => ask(method, `/orchestrator${path}`, key, method === 'POST' ? {} : undefined);

  if (needed === 'nothing') {
    it('is for everybody, whatever key they show', async () => {
      for (const key of [null, 'key-of-nobody', 'key-of-nothing']) expect((await prefixed(key)).status).toBe(200);
    });
    return;
  }

  it.each([null, 'key-of-nobody', '', 'key-of-ann!', 'Key-of-admin'])(
    'is 401 with the key %j, and says how to show one',
    async (key) => {
      for (const answer of [await bare(key), await prefixed(key)]) {
        expect(answer.status).toBe(401);
        expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer /);
        if (method !== 'HEAD') expectError(answer, 401, 'UNAUTHORIZED');
      }
    },
  );

  it('is for whoever holds its scope, and for an administrator', async () => {
    expect(isLetIn(await bare(needed === 'any' ? 'key-of-nothing' : `key-of-${needed}`))).toBe(true);
    expect(isLetIn(await prefixed('key-of-admin'))).toBe(true);
  });

  if (needed === 'any') return;
  const others = ['key-of-nothing', ...SCOPES.map((scope) => `key-of-${scope}`)];
  it.each(others.filter((key) => key !== 'key-of-admin' && key !== `key-of-${needed}`))('is 403 with the %s', async (key) => {
    const answer = await prefixed(key);
    expect(answer.status).toBe(403);
    if (method !== 'HEAD') expect(expectError(answer, 403, 'FORBIDDEN').error.message).toContain(needed);
  });
});

describe(`GET ${STREAM}`, () => {
  it.each([
    [null, 401],
    ['key-of-nobody', 401],
    ['key-of-tasks:write', 403],
  ])('with the key %j is %d', async (key, status) => {
    expect((await ask('GET', STREAM, key)).status).toBe(status);
  });
});

describe('what is not there', () => {
  it.each([null, 'key-of-nobody', 'key-of-admin'])('is not there for anybody (%j)', async (key) => {
    expectError(await ask('GET', '/orchestrator/nothing', key), 404, 'NOT_FOUND');
    expectError(await ask('PUT', '/orchestrator/tasks', key), 405, 'METHOD_NOT_ALLOWED');
  });

  it.each([
    '//tasks',
    '/%2e/tasks',
    '/tasks%2f',
    '/tasks/%2e%2e/tasks',
    '/orchestrator//tasks',
    '/TASKS',
    '/tasks;x=1',
    '/orchestrator/orchestrator/tasks',
  ])('is no way around the guard: %s', async (path) => {
    expect([400, 401, 404]).toContain((await ask('GET', path, null)).status);
  });

  it('an escaped route is the same route', async () => {
    expect((await ask('GET', '/%74asks', null)).status).toBe(401);
    expect((await ask('GET', '/tasks/', null)).status).toBe(401);
    expect((await ask('GET', '/tasks?x=/health', null)).status).toBe(401);
  });
});

describe('a key', () => {
  it('may be shown as X-API-Key too, and the scheme in any case', async () => {
    const { orchestrator } = mesh;
    expect((await orchestrator.get('/tasks', { 'x-api-key': 'key-of-ann' })).status).toBe(200);
    expect((await orchestrator.get('/tasks', { authorization: 'bEaReR  key-of-ann' })).status).toBe(200);
  });

  it.each(['Basic key-of-ann', 'key-of-ann', 'Bearer key-of-ann, Bearer key-of-ann', 'Bearer', `Bearer ${'0'.repeat(64)}`])(
    'is nothing else: %s',
    async (authorization) => {
      expect((await mesh.orchestrator.get('/tasks', { authorization })).status).toBe(401);
    },
  );

  it('is not its own digest', async () => {
    const { createHash } = await import('node:crypto');
    const digest = createHash('sha256').update('key-of-ann').digest('hex');
    expect((await ask('GET', '/tasks', digest)).status).toBe(401);
  });

  it('is asked for before the body is looked at', async () => {
    const { orchestrator } = mesh;
    expect((await orchestrator.post('/tasks', '{"broken')).status).toBe(401);
    expect((await orchestrator.post('/tasks', 'x', { 'content-type': 'text/plain' })).status).toBe(401);
    expect((await orchestrator.post('/tasks', '{"broken', bearer('key-of-tasks:read'))).status).toBe(403);
    expect((await orchestrator.post('/tasks', '{"broken', bearer('key-of-ann'))).status).toBe(400);
  });

  it('does not reach the droplet', async () => {
    const { json } = await mesh.ask('/echo', {}, { 'x-api-key': 'key-of-ann' });
    expect(JSON.stringify(json.response_body)).not.toContain('key-of-ann');
    expect((await mesh.ask('/echo', {}, bearer('key-of-ann'))).json.response_body.headers).not.toHaveProperty('authorization');
  });
});

describe('the tasks of one caller', () => {
  const [ann, bob, admin] = ['key-of-ann', 'key-of-bob', 'key-of-admin'].map(bearer) as [any, any, any];
  const queueFor = (key: Record<string, string>, more = {}): Promise<string> => mesh.queue('/echo', more, key);
  const ids = async (query: string, key: Record<string, string>): Promise<string[]> =>
    (await mesh.orchestrator.get(`/tasks${query}`, key)).json.tasks.map(({ id }: { id: string }) => id);
  const ended = (id: string): Promise<any> =>
    until(async () => {
      const { json } = await mesh.orchestrator.get(`/tasks/${id}`, admin);
      return ['success', 'error', 'cancelled'].includes(json.status) ? json : null;
    });

  it('are not there for another one, by id', async () => {
    const id = await queueFor(ann, { delay_ms: 600_000 });
    expect((await mesh.orchestrator.get(`/tasks/${id}`, ann)).json.id).toBe(id);
    expect((await mesh.orchestrator.get(`/tasks/${id}`, admin)).json.id).toBe(id);
    expectError(await mesh.orchestrator.get(`/tasks/${id}`, bob), 404, 'TASK_NOT_FOUND');
    expectError(await mesh.orchestrator.request('DELETE', `/tasks/${id}`, undefined, bob), 404, 'TASK_NOT_FOUND');
    expectError(await mesh.orchestrator.post(`/tasks/${id}/retry`, undefined, bob), 404, 'TASK_NOT_FOUND');
    expect((await mesh.orchestrator.get(`/tasks/${id}`, ann)).json.status).toBe('queued');
    expect((await mesh.orchestrator.request('DELETE', `/tasks/${id}`, undefined, ann)).json.status).toBe('cancelled');
    expectError(await mesh.orchestrator.request('DELETE', `/tasks/${id}`, undefined, bob), 404, 'TASK_NOT_FOUND');
    expectError(await mesh.orchestrator.post(`/tasks/${id}/retry`, undefined, bob), 404, 'TASK_NOT_FOUND');
    expect((await mesh.orchestrator.post(`/tasks/${id}/retry`, undefined, ann)).status).toBe(202);
    expect((await mesh.orchestrator.request('DELETE', `/tasks/${id}`, undefined, admin)).json.status).toBe('cancelled');
  });

  it('hold nothing more on the wire than without keys', async () => {
    const id = await queueFor(ann);
    expect(await ended(id)).not.toHaveProperty('caller');
  });

  it('are in its own lists alone, whatever they are filtered by', async () => {
    const meta = { list: 'shared' };
    const mine = await queueFor(ann, { meta });
    const others = await queueFor(bob, { meta });
    await Promise.all([ended(mine), ended(others)]);
    for (const query of [
      '',
      '?droplet_name=ECHO',
      '?status=success',
      '?droplet_name=echo&status=success',
      '?meta.list=shared',
      '?meta.list=shared&status=success&droplet_name=echo',
      '?limit=1000&created_after=0',
    ]) {
      const [annSees, bobSees, adminSees] = [await ids(query, ann), await ids(query, bob), await ids(query, admin)];
      expect([annSees.includes(mine), annSees.includes(others)]).toEqual([true, false]);
      expect([bobSees.includes(mine), bobSees.includes(others)]).toEqual([false, true]);
      expect(adminSees).toEqual(expect.arrayContaining([mine, others]));
    }
    const { total, total_exact } = (await mesh.orchestrator.get('/tasks?meta.list=shared', bob)).json;
    expect({ total, total_exact }).toEqual({ total: 1, total_exact: true });
  });

  it('are paged without gaps', async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => queueFor(bob, { meta: { list: 'paged' } })));
    await Promise.all(made.map(ended));
    const first = (await mesh.orchestrator.get('/tasks?limit=3&meta.list=paged', bob)).json;
    const second = (await mesh.orchestrator.get(`/tasks?limit=3&meta.list=paged&cursor=${first.next_cursor}`, bob)).json;
    expect([...first.tasks, ...second.tasks].map(({ id }) => id)).toEqual(made.toSorted().reverse());
    expect(await ids(`?cursor=${first.next_cursor}&meta.list=paged`, ann)).toEqual([]);
  });

  it('are in its own event stream alone', async () => {
    const [annReads, adminReads] = await Promise.all([ann, admin].map((key) => EventReader.open(mesh.orchestrator.url, '', key)));
    const others = await queueFor(bob);
    const mine = await queueFor(ann);
    await until(() => annReads!.of(mine).includes('success') && adminReads!.of(others).includes('success'));
    expect(annReads!.of(others)).toEqual([]);
    expect(adminReads!.of(mine)).toContain('success');
    annReads!.close();
    adminReads!.close();
  });

  it('are not run again by another one that asks for all', async () => {
    const failed = await mesh.queue('/status?code=404', {}, ann);
    await ended(failed);
    expect((await mesh.orchestrator.post('/tasks/retry', { droplet_name: 'echo' }, bob)).json).toEqual({ scheduled: 0 });
    expect((await mesh.orchestrator.post('/tasks/retry', { droplet_name: 'echo' }, ann)).json).toEqual({ scheduled: 1 });
    await ended(failed);
  });

  it('a running one that its droplet knows by id is not cancelled by another one', async () => {
    const gate = new Gate();
    const before = mesh.other.handler;
    mesh.other.handler = gate.handler;
    const running = mesh.orchestrator.task({ droplet_name: 'other', path: '/wait' }, ann);
    const { seen } = await until(() => gate.held[0]);
    const id = String(seen.headers['x-task-id']);
    expectError(await mesh.orchestrator.request('DELETE', `/tasks/${id}`, undefined, bob), 404, 'TASK_NOT_FOUND');
    gate.open();
    expect((await running).json.status).toBe('success');
    mesh.other.handler = before;
  });

  it('by message: the same', async () => {
    const message = (payload: object, message_type: string, key: Record<string, string>) =>
      mesh.orchestrator.post('/message', { trace_id: 1, source: 2, target: 3, message_type, payload }, key);
    const task_data = { droplet_name: 'echo', path: '/echo', delay_ms: 600_000 };
    const { task_id } = (await message({ command: 'create_task', task_data }, 'command', ann)).json.data;
    expect((await message({ query: 'task_status', task_id }, 'query', bob)).json.data.code).toBe('TASK_NOT_FOUND');
    expect((await message({ command: 'cancel_task', task_id }, 'command', bob)).json.data.code).toBe('TASK_NOT_FOUND');
    expect((await message({ query: 'task_status', task_id }, 'query', ann)).json.data.status).toBe('queued');
    expect((await message({ command: 'cancel_task', task_id }, 'command', ann)).json.data.status).toBe('cancelled');
  });

  it('keep their Idempotency-Keys apart', async () => {
    const key = { 'idempotency-key': 'same' };
    const of = async (caller: Record<string, string>, path: string) => mesh.ask(path, {}, { ...key, ...caller });
    const first = await of(ann, '/echo?ann');
    const second = await of(bob, '/echo?bob');
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.headers.get('idempotency-replayed')).toBeNull();
    const again = await of(ann, '/echo?ann');
    expect([again.headers.get('idempotency-replayed'), again.json.task_id]).toEqual(['true', first.json.task_id]);
    expect((await of(ann, '/echo?bob')).status).toBe(422);
  });

  it('outlive the process with whose they are', async () => {
    const id = await queueFor(ann);
    await ended(id);
    await mesh.restart();
    expect((await mesh.orchestrator.get(`/tasks/${id}`, ann)).status).toBe(200);
    expect((await mesh.orchestrator.get(`/tasks/${id}`, bob)).status).toBe(404);
  });
});

describe('a key that names droplets', () => {
  const key = bearer('key-of-echo-only');
  const task = (droplet_name: string, more = {}) => ({ droplet_name, path: '/echo', ...more });

  it('may call those, in any case', async () => {
    for (const name of ['Echo', 'echo']) expect((await mesh.orchestrator.task(task(name), key)).json.status).toBe('success');
  });

  it.each([
    ['a droplet that it does not name', 'Other'],
    ['one that does not exist, which it is not told', 'Nowhere'],
  ])('is 403 for %s, and nothing is called', async (_what, name) => {
    const before = mesh.other.hits('/echo');
    const id = await mesh.queue('/echo', { delay_ms: 600_000 }, key);
    expectError(await mesh.orchestrator.task(task(name), key), 403, 'FORBIDDEN');
    expectError(await mesh.orchestrator.task(task(name), { ...ASYNC, ...key }), 403, 'FORBIDDEN');
    const batch = (await mesh.orchestrator.post('/tasks/batch', { tasks: [task(name), task('ECHO')] }, key)).json;
    expect([batch.results[0].error.code, batch.results[1].status, batch.rejected]).toEqual(['FORBIDDEN', 'queued', 1]);
    const message = {
      trace_id: 1,
      source: 2,
      target: 3,
      message_type: 'command',
      payload: { command: 'create_task', task_data: task(name) },
    };
    expect((await mesh.orchestrator.post('/message', message, key)).json).toMatchObject({
      result: 'error',
      data: { code: 'FORBIDDEN' },
    });
    await mesh.orchestrator.request('DELETE', `/tasks/${id}`, undefined, key);
    expect(mesh.other.hits('/echo')).toBe(before);
  });

  it('sends messages to no other, by name or by id', async () => {
    const send = (target: string | number) => mesh.orchestrator.post('/send', { target, message_type: 'event' }, key);
    const before = mesh.other.seen.length;
    expectError(await send('other'), 403, 'FORBIDDEN');
    expectError(await send(4), 403, 'FORBIDDEN');
    expect((await send(3)).status).toBe(200);
    expect(mesh.other.seen).toHaveLength(before);
  });
});

describe('a caller with limits', () => {
  it('is told when it may ask again', async () => {
    expect((await ask('GET', '/tasks', 'key-of-slow')).status).toBe(200);
    const refused = await ask('GET', '/tasks', 'key-of-slow');
    expectError(refused, 429, 'RATE_LIMITED');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(1);
    expect((await ask('GET', '/tasks', 'key-of-ann')).status).toBe(200);
  });

  it('has no more requests in flight than it may, and may ask again when one is over', async () => {
    const gate = new Gate();
    const before = mesh.other.handler;
    mesh.other.handler = gate.handler;
    const body = { droplet_name: 'other', path: '/wait' };
    const first = ask('POST', '/tasks', 'key-of-one', body);
    await until(() => gate.held[0]);
    const refused = await ask('POST', '/tasks', 'key-of-one', body);
    expectError(refused, 429, 'RATE_LIMITED');
    expect(refused.headers.get('retry-after')).toBe('1');
    gate.open();
    expect((await first).status).toBe(200);
    expect(await until(async () => (await ask('POST', '/tasks', 'key-of-one', body)).status === 200)).toBe(true);
    mesh.other.handler = before;
  });

  it('that hangs up gives its place back', async () => {
    const gate = new Gate();
    const before = mesh.other.handler;
    mesh.other.handler = gate.handler;
    const hangUp = new AbortController();
    const body = JSON.stringify({ droplet_name: 'other', path: '/wait' });
    const headers = { 'content-type': 'application/json', ...bearer('key-of-one') };
    const lost = fetch(`${mesh.orchestrator.url}/tasks`, { method: 'POST', body, headers, signal: hangUp.signal }).catch(
      () => 'gone',
    );
    await until(() => gate.held[0]);
    hangUp.abort();
    expect(await lost).toBe('gone');
    gate.open();
    expect(await until(async () => (await ask('POST', '/tasks', 'key-of-one', JSON.parse(body))).status === 200)).toBe(true);
    mesh.other.handler = before;
  });
});

describe('the key file', () => {
  const cat = (key: string) => ({ key, name: 'cat', scopes: ['tasks:write', 'tasks:read'] });
  const holds = (key: string, status: number) => until(async () => (await ask('GET', '/tasks', key)).status === status, 10_000);

  it('is taken when it changes: both keys of a caller hold until the old one goes, and the tasks stay its own', async () => {
    file.write([...KEYS, cat('old')]);
    await holds('old', 200);
    const id = await mesh.queue('/echo', {}, bearer('old'));
    file.write([...KEYS, cat('old'), cat('new')]);
    await holds('new', 200);
    expect((await ask('GET', '/tasks', 'old')).status).toBe(200);
    file.write([...KEYS, cat('new')]);
    await holds('old', 401);
    expect((await ask('GET', `/tasks/${id}`, 'new')).status).toBe(200);
  });
});

describe('AUTH_MODE=none', () => {
  it('asks nobody for anything, and takes no notice of what is shown', async () => {
    const open = await TaskMesh.start();
    try {
      for (const headers of [{}, bearer('anything')]) {
        expect((await open.orchestrator.get('/tasks', headers)).status).toBe(200);
        expect((await open.orchestrator.post('/droplets/Echo/pause', undefined, headers)).status).toBe(200);
        expect((await open.orchestrator.post('/droplets/Echo/resume', undefined, headers)).status).toBe(200);
        expect((await open.orchestrator.get('/metrics', headers)).status).toBe(200);
      }
    } finally {
      await open.stop();
    }
  });
});
