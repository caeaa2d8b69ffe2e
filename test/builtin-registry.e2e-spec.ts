import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Clock } from '../src/common/clock.js';
import { VERSION } from '../src/config/version.js';
import { NOT_CALLED_YET, startDroplet } from './support/droplet.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { TestRegistry } from './support/registry.js';
import { freePort, type TestServer } from './support/server.js';

const ISO = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

/** A droplet as contract §5 lists it, with nothing said but name and place. */
const plain = (id: number, name: string, endpoint: string) => ({
  ...{ id, name, endpoint, url: endpoint, version: null, metadata: null, steward: null, status: 'active', proof: null },
  ...{ cost_usd: 0, yield_usd: 0, registered_at: ISO, updated_at: ISO, health: NOT_CALLED_YET },
});

describe('the built-in Registry', () => {
  let droplet: TestServer;
  let orchestrator: TestOrchestrator;

  beforeAll(async () => {
    droplet = await startDroplet();
    orchestrator = await TestOrchestrator.start();
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  afterAll(async () => {
    await orchestrator.stop();
    await droplet.stop();
  });

  const base = '/orchestrator/droplets';
  let names = 0;
  /** A name that no other test uses. */
  const fresh = (): string => `droplet-${++names}`;
  const add = (name: string, more: object = {}) => orchestrator.post(base, { name, endpoint: droplet.url, ...more });

  describe('on the first start', () => {
    it('lists the orchestrator itself', async () => {
      const { status, json } = await orchestrator.get(base);
      expect(status).toBe(200);
      expect(json).toEqual({
        droplets: [{ ...plain(2, 'orchestrator', orchestrator.url), version: VERSION, metadata: { version: VERSION } }],
        ...{ cache_status: 'active', served_from: 'registry', total: 1, timestamp: ISO },
      });
    });

    it('runs a first task to itself, with nothing registered', async () => {
      const { status, json } = await orchestrator.task({ droplet_name: 'orchestrator', path: '/health' });
      expect([status, json.status, json.response_status, json.retry_count]).toEqual([200, 'success', 200, 0]);
      expect(json.response_body.service).toBe('orchestrator');
    });

    it('is ready, healthy, connected and registered', async () => {
      expect((await orchestrator.get('/orchestrator/health/ready')).status).toBe(200);
      const { json: health } = await orchestrator.get('/orchestrator/health');
      expect([health.status, health.dependencies.registry, health.dependencies.cache.status]).toEqual([
        ...['active', { status: 'healthy', url: orchestrator.url }, 'active'],
      ]);
      const { json: info } = await orchestrator.get('/orchestrator/info');
      expect([info.registry_url, info.registered]).toEqual([orchestrator.url, true]);
      const { json: dependencies } = await orchestrator.get('/orchestrator/dependencies');
      expect(dependencies.required).toEqual([{ id: 1, name: 'registry', status: 'connected' }]);
    });

    it('counts what is known and reachable', async () => {
      const { json } = await orchestrator.get('/orchestrator/metrics');
      expect([json.droplets_known, json.droplets_reachable]).toEqual([1, 1]);
      const port = await freePort();
      await orchestrator.post(base, { name: 'down', endpoint: `http://127.0.0.1:${port}` });
      await orchestrator.task({ droplet_name: 'down', path: '/', max_attempts: 1 });
      const { json: after } = await orchestrator.get('/orchestrator/metrics');
      expect([after.droplets_known, after.droplets_reachable]).toEqual([2, 1]);
      await orchestrator.request('DELETE', `${base}/down`);
    });
  });

  describe('registering', () => {
    it('POST /register answers 200 with the id, and the droplet can be called', async () => {
      const { status, json } = await orchestrator.post('/register', { name: 'auth', id: 40, url: droplet.url, version: '2.0' });
      expect([status, json]).toEqual([200, { success: true, droplet_id: 40, message: "Droplet 'auth' registered" }]);
      expect((await orchestrator.task({ droplet_name: 'AUTH', path: '/health' })).json.status).toBe('success');
      expect((await orchestrator.get(`${base}/40`)).json.droplet).toMatchObject({ version: '2.0', metadata: { version: '2.0' } });
    });

    it('POST /droplets answers 201 with the droplet', async () => {
      const { status, json } = await add('plain', { id: 41 });
      expect([status, json]).toEqual([201, { droplet: plain(41, 'plain', droplet.url), timestamp: ISO }]);
    });

    it('takes every field, and lists it as it was given', async () => {
      const given = {
        ...{ id: 42, name: 'full', endpoint: `${droplet.url}/`, steward: 'Ana', status: 'error', proof: { hash: 'x' } },
        ...{ metadata: { version: '3.1', region: 'eu' }, cost_usd: 1.25, yield_usd: -3, colour: 'ignored' },
      };
      expect((await orchestrator.post(base, given)).status).toBe(201);
      const { json } = await orchestrator.get(base);
      expect(json.droplets.find(({ name }: { name: string }) => name === 'full')).toEqual({
        ...plain(42, 'full', droplet.url),
        ...{ version: '3.1', metadata: given.metadata, steward: 'Ana', status: 'error', proof: { hash: 'x' } },
        ...{ cost_usd: 1.25, yield_usd: -3 },
      });
    });

    it('gives an id of its own where none is named', async () => {
      const ids = [(await add(fresh())).json.droplet.id, (await add(fresh())).json.droplet.id];
      expect(ids.every(Number.isInteger) && ids[0] !== ids[1]).toBe(true);
    });

    it.each(['/register', base])('%s refuses a name that is taken', async (route) => {
      const name = fresh();
      await add(name);
      const { status, json } = await orchestrator.post(route, { name, url: droplet.url });
      expect([status, json.error.code, json.error.message]).toEqual([409, 'CONFLICT', expect.stringContaining(name)]);
    });

    it.each(['/register', base])('%s refuses an id that another name holds, and leaves that one as it is', async (route) => {
      const { status, json } = await orchestrator.post(route, { name: fresh(), id: 2, url: droplet.url });
      expect([status, json.error.code, json.error.message]).toEqual([409, 'CONFLICT', expect.stringContaining('orchestrator')]);
      expect((await orchestrator.get(`${base}/2`)).json.droplet.name).toBe('orchestrator');
    });

    it('lets one of two concurrent registrations of a name through', async () => {
      const name = fresh();
      const answers = await Promise.all([add(name), add(name)]);
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    });

    it('keeps names apart that differ only in case: the exact one first, then list order', async () => {
      await add('Twin', { id: 60 });
      await add('TWIN', { id: 61 });
      const found = [];
      for (const name of ['Twin', 'TWIN', 'twin']) found.push((await orchestrator.get(`${base}/name/${name}`)).json.droplet.id);
      expect(found).toEqual([60, 61, 60]);
    });

    it.each(['__proto__', 'constructor', 'name', 'ünï cödé/✓'])('takes a droplet that is called %s', async (name) => {
      expect((await add(name)).status).toBe(201);
      const key = encodeURIComponent(name);
      expect((await orchestrator.get(`${base}/${key}`)).json.droplet.name).toBe(name);
      expect((await orchestrator.get(`${base}/name/${key}`)).json.droplet.name).toBe(name);
      expect((await orchestrator.task({ droplet_name: name, path: '/health' })).json.status).toBe('success');
      expect((await orchestrator.request('DELETE', `${base}/${key}`)).status).toBe(200);
    });
  });

  describe('bad bodies are refused, and the field is named', () => {
    const good = { name: 'never', endpoint: 'http://x' };

    it.each<[string, object]>([
      ['name', { ...good, name: undefined }],
      ['name', { ...good, name: '' }],
      ['name', { ...good, name: 7 }],
      ['name', { ...good, name: null }],
      ['name', { ...good, name: 'n'.repeat(256) }],
      ['name', { ...good, name: 'a\u0000b' }],
      ['name', { ...good, name: '\ud800' }],
      ['endpoint', { name: 'never' }],
      ['endpoint', { name: 'never', endpoint: 7 }],
      ['endpoint', { name: 'never', endpoint: 'x:9000' }],
      ['endpoint', { name: 'never', endpoint: 'ftp://x' }],
      ['endpoint', { name: 'never', endpoint: 'http://user:pass@x' }],
      ['endpoint', { name: 'never', endpoint: 'http://x?a=1' }],
      ['endpoint', { name: 'never', endpoint: 'http://x#a' }],
      ['endpoint', { name: 'never', endpoint: `http://x/${'y'.repeat(2048)}` }],
      ['url', { name: 'never', url: 'nowhere' }],
      ['id', { ...good, id: 0 }],
      ['id', { ...good, id: 1.5 }],
      ['id', { ...good, id: 'seven' }],
      ['id', { ...good, id: 2 ** 53 }],
      ['status', { ...good, status: 'gone' }],
      ['metadata', { ...good, metadata: 'v1' }],
      ['metadata', { ...good, metadata: [] }],
      ['version', { ...good, version: 2 }],
      ['steward', { ...good, steward: {} }],
      ['cost_usd', { ...good, cost_usd: '1' }],
      ['yield_usd', { ...good, yield_usd: true }],
    ])('%s in %j', async (field, body) => {
      for (const route of ['/register', base]) {
        const { status, json } = await orchestrator.post(route, body);
        expect([status, json.error.code, json.error.details.errors[0].field]).toEqual([400, 'INVALID_REQUEST', field]);
      }
      expect((await orchestrator.get(`${base}/never`)).status).toBe(404);
    });

    it.each(['[]', 'null', '"x"', '42', '{', ''])('the body %s', async (body) => {
      const { status, json } = await orchestrator.post(base, body);
      expect([status, json.error.details.errors[0].field]).toEqual([400, 'body']);
    });

    it.each<[string, object]>([
      ['name', { name: '' }],
      ['endpoint', { endpoint: 'nowhere' }],
      ['url', { url: 'ftp://x' }],
      ['status', { status: 'x' }],
      ['metadata', { metadata: 1 }],
    ])('%s in a change', async (field, body) => {
      const { status, json } = await orchestrator.request('PATCH', `${base}/2`, body);
      expect([status, json.error.details.errors[0].field]).toEqual([400, field]);
    });

    it.each<[string, object]>([
      ['status', { status: 'sleepy' }],
      ['metrics', { metrics: 'many' }],
    ])('%s in a heartbeat', async (field, body) => {
      const { status, json } = await orchestrator.post(`${base}/2/heartbeat`, body);
      expect([status, json.error.details.errors[0].field]).toEqual([400, field]);
    });
  });

  describe('looking up, changing, removing', () => {
    it('finds a droplet by id, by name and by /name/, in any case', async () => {
      const { droplet: known } = (await add('Seeker', { id: 70 })).json;
      for (const key of ['70', 'Seeker', 'SEEKER', 'name/Seeker', 'name/seeker']) {
        const { status, json } = await orchestrator.get(`${base}/${key}`);
        expect([key, status, json]).toEqual([key, 200, { droplet: known, timestamp: ISO }]);
      }
    });

    it.each(['nobody', '999999', 'name/nobody', 'name/70x', '__proto__x'])('GET /droplets/%s is 404', async (key) => {
      const { status, json } = await orchestrator.get(`${base}/${key}`);
      expect([status, json.error.code, json.detail.error.code]).toEqual([404, 'DROPLET_NOT_FOUND', 'DROPLET_NOT_FOUND']);
      expect(json.error.details.available_droplets).toContain('orchestrator');
    });

    it.each([
      ['PATCH', 'nobody', { status: 'active' }],
      ['DELETE', 'nobody', undefined],
      ['POST', 'nobody/heartbeat', {}],
    ])('%s /droplets/%s is 404', async (method, key, body) => {
      const { status, json } = await orchestrator.request(method, `${base}/${key}`, body);
      expect([status, json.error.code]).toEqual([404, 'DROPLET_NOT_FOUND']);
    });

    it('PATCH changes what it names and answers with the droplet; tasks go to the new place', async () => {
      const name = fresh();
      const { id } = (await add(name, { endpoint: 'http://127.0.0.1:1', steward: 'Ana', version: '1' })).json.droplet;
      const body = { endpoint: `${droplet.url}/`, metadata: { version: '2' }, steward: null };
      const { status, json } = await orchestrator.request('PATCH', `${base}/${id}`, body);
      const expected = { ...plain(id, name, droplet.url), steward: 'Ana', version: '2', metadata: { version: '2' } };
      expect([status, json]).toEqual([200, { droplet: expected, timestamp: ISO }]);
      expect((await orchestrator.get(`${base}/${name}`)).json.droplet).toEqual(expected);
      expect((await orchestrator.task({ droplet_name: name, path: '/health' })).json.status).toBe('success');
    });

    it('PATCH refuses a name that is taken', async () => {
      const name = fresh();
      await add(name);
      const { status, json } = await orchestrator.request('PATCH', `${base}/${name}`, { name: 'orchestrator' });
      expect([status, json.error.code]).toEqual([409, 'CONFLICT']);
    });

    it('DELETE answers {success, message, deleted_at}, and the droplet is gone', async () => {
      const name = fresh();
      await add(name);
      const { status, json } = await orchestrator.request('DELETE', `${base}/${name}`);
      expect([status, json]).toEqual([200, { success: true, message: expect.stringContaining(name), deleted_at: ISO }]);
      expect((await orchestrator.get(`${base}/${name}`)).status).toBe(404);
      expect((await orchestrator.task({ droplet_name: name, path: '/' })).json.error.code).toBe('DROPLET_NOT_FOUND');
      expect((await add(name)).status).toBe(201);
    });

    it('the orchestrator cannot be removed, nor renamed', async () => {
      expect((await orchestrator.request('DELETE', `${base}/orchestrator`)).status).toBe(409);
      expect((await orchestrator.request('PATCH', `${base}/2`, { name: 'other' })).status).toBe(409);
    });
  });

  describe('heartbeats', () => {
    const later = (ms: number): void => {
      const clock = orchestrator.app.get(Clock);
      const now = Date.now();
      jest.spyOn(clock, 'now').mockImplementation(() => now + ms);
    };
    const statusOf = async (name: string): Promise<string> => (await orchestrator.get(`${base}/${name}`)).json.droplet.status;
    const beat = (name: string, body: unknown = {}) => orchestrator.post(`${base}/${name}/heartbeat`, body);

    it('answer with the droplet, and set its status', async () => {
      const name = fresh();
      await add(name, { status: 'inactive' });
      const { status, json } = await beat(name, { status: 'active', metrics: { cpu: 0.5 } });
      expect([status, json]).toEqual([
        200,
        { droplet: plain(expect.any(Number) as unknown as number, name, droplet.url), timestamp: ISO },
      ]);
      await beat(name, { status: 'error' });
      expect(await statusOf(name)).toBe('error');
    });

    it('missing for 90 s make a droplet inactive everywhere, until the next one; it is still called when named', async () => {
      const name = fresh();
      const { id } = (await add(name)).json.droplet;
      await beat(id);
      later(89_000);
      expect(await statusOf(name)).toBe('active');
      later(92_000);
      expect(await statusOf(name)).toBe('inactive');
      expect(await statusOf(`name/${name}`)).toBe('inactive');
      const { json } = await orchestrator.get(base);
      expect(json.droplets.find((each: { name: string }) => each.name === name).status).toBe('inactive');
      const { json: changed } = await orchestrator.request('PATCH', `${base}/${name}`, { steward: 'Ana' });
      expect(changed.droplet.status).toBe('inactive');
      expect((await orchestrator.task({ droplet_name: name, path: '/health' })).json.status).toBe('success');
      await beat(name);
      expect(await statusOf(name)).toBe('active');
    });

    it('never sent leave a droplet active', async () => {
      const name = fresh();
      await add(name);
      later(86_400_000);
      expect([await statusOf(name), await statusOf('orchestrator')]).toEqual(['active', 'active']);
    });

    it('missing are named when a call fails', async () => {
      const name = fresh();
      await add(name);
      await beat(name);
      later(92_000);
      const { json } = await orchestrator.task({ droplet_name: name, path: '/status?code=404' });
      expect([json.error.code, json.error.details.droplet_status]).toEqual(['DROPLET_ERROR', 'inactive']);
    });
  });
});

describe('the built-in Registry after a restart', () => {
  it('knows every droplet, change and removal of before, and lists itself once, at its new place', async () => {
    const first = await TestOrchestrator.start();
    await first.post('/droplets', {
      name: 'kept',
      id: 10,
      endpoint: 'http://kept:1',
      proof: [1, 2],
      metadata: { a: { b: null } },
    });
    await first.post('/register', { name: 'gone', url: 'http://gone:1' });
    await first.request('PATCH', '/droplets/kept', { status: 'error', version: '2' });
    await first.request('DELETE', '/droplets/gone');
    const before = (await first.get('/droplets/kept')).json.droplet;
    await first.leave();
    const second = await TestOrchestrator.start({}, first.home);
    const { json } = await second.get('/droplets');
    expect(json.droplets).toEqual([expect.objectContaining({ id: 2, name: 'orchestrator', endpoint: second.url }), before]);
    expect((await second.post('/droplets', { name: 'kept', url: 'http://x' })).status).toBe(409);
    await second.stop();
  });
});

describe('with a REGISTRY_URL', () => {
  let registry: TestRegistry;
  let remote: TestOrchestrator;

  beforeAll(async () => {
    registry = await TestRegistry.start();
    remote = await TestOrchestrator.start({ REGISTRY_URL: registry.url });
  });

  afterAll(async () => {
    await remote.stop();
    await registry.stop();
  });

  it.each<[string, string, object | undefined]>([
    ['POST', '/register', { name: 'echo', url: 'http://echo:9000' }],
    ['POST', '/droplets', { name: 'echo', endpoint: 'http://echo:9000' }],
    ['PATCH', '/droplets/orchestrator', { status: 'error' }],
    ['PATCH', '/droplets/nobody', { status: 'error' }],
    ['DELETE', '/droplets/orchestrator', undefined],
    ['POST', '/droplets/2/heartbeat', { status: 'active' }],
    ['POST', '/register', {}],
    ['PATCH', '/droplets/2', { endpoint: 'x' }],
    ['POST', '/droplets/2/heartbeat', undefined],
  ])('%s %s is refused, whatever its body, and the answer names the real Registry', async (method, route, body) => {
    const { status, json } = await remote.request(method, `/orchestrator${route}`, body);
    expect([status, json.error.code, json.error.details]).toEqual([409, 'CONFLICT', { registry_url: registry.url }]);
    expect(json.error.message).toContain(registry.url);
  });
});
