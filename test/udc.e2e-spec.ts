import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from './support/http.client.js';
import { TestMesh } from './support/mesh.js';
import { TestOrchestrator } from './support/orchestrator.js';

const sorted = (value: object): string[] => Object.keys(value).sort();
const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

describe('the standard pages', () => {
  let mesh: TestMesh;
  let orchestrator: TestOrchestrator;

  beforeAll(async () => {
    mesh = await TestMesh.start();
    ({ orchestrator } = mesh);
    await until(async () => (await orchestrator.get('/info')).json.registered);
  });

  afterAll(() => mesh.stop());

  const page = async (name: string) => (await orchestrator.get(`/orchestrator/${name}`)).json;

  it.each(['health', 'capabilities', 'state', 'dependencies', 'info', 'message', 'send', 'metrics', 'droplets', 'tasks'])(
    '/%s is 200 with and without the prefix and a trailing slash',
    async (name) => {
      for (const path of [`/${name}`, `/${name}/`, `/orchestrator/${name}`, `/orchestrator/${name}/`]) {
        const { status, headers } = await orchestrator.get(path);
        expect([path, status]).toEqual([path, 200]);
        expect(headers.get('content-type')).toMatch(/^application\/json/);
      }
    },
  );

  it.each(['/', '/orchestrator', '/orchestrator/'])('%s gives name, version and links that all work', async (path) => {
    const { status, json } = await orchestrator.get(path);
    expect([status, json.name, json.version]).toEqual([200, 'orchestrator', '1.1.0']);
    for (const link of Object.values<string>(json.links)) expect((await orchestrator.get(link)).status).toBe(200);
  });

  it('capabilities names what it can do', async () => {
    const json = await page('capabilities');
    expect(sorted(json)).toEqual(['dependencies', 'features', 'metadata', 'udc_version', 'version']);
    expect(json).toMatchObject({ version: '1.1.0', dependencies: ['registry'], udc_version: '1.0' });
    expect(json.features).toEqual(
      expect.arrayContaining([
        ...['task_routing', 'inter_droplet_messaging', 'heartbeat_collection', 'retry_logic', 'registry_sync', 'cache_fallback'],
      ]),
    );
    expect(json.metadata).toEqual({ build_date: expect.stringMatching(ISO), registry_url: mesh.registry.url });
  });

  it('dependencies names the Registry and its cache', async () => {
    expect(await page('dependencies')).toEqual({
      required: [{ id: 1, name: 'registry', status: 'connected' }],
      optional: [{ id: null, name: 'registry_cache', status: 'connected' }],
      missing: [],
    });
  });

  it('info tells who we are and how the list is (seed: info_returns_orchestrator_metadata)', async () => {
    const json = await page('info');
    expect(sorted(json)).toEqual(
      ['id', 'name', 'version', 'registry_url', 'registered', 'last_registry_sync', 'cache_status', 'cache_age_seconds'].sort(),
    );
    expect(json).toMatchObject({
      ...{ id: 2, name: 'orchestrator', version: '1.1.0', registry_url: mesh.registry.url },
      ...{ registered: true, cache_status: 'active' },
    });
    expect(Math.abs(json.last_registry_sync - Date.now() / 1000)).toBeLessThan(60);
    expect(Number.isInteger(json.cache_age_seconds)).toBe(true);
  });

  describe('state', () => {
    it('has exactly the keys of the contract, and plausible figures', async () => {
      const json = await page('state');
      expect(sorted(json)).toEqual(
        [
          ...['state', 'cpu_percent', 'memory_mb', 'uptime_seconds', 'requests_total', 'requests_per_minute'],
          ...['errors_last_hour', 'last_restart'],
        ].sort(),
      );
      expect(json.state).toBe('active');
      expect(json.cpu_percent).toBeGreaterThanOrEqual(0);
      expect(json.memory_mb).toBeGreaterThan(20);
      expect(json.memory_mb).toBeLessThan(10_000);
      expect(json.last_restart).toMatch(ISO);
      const age = (Date.now() - Date.parse(json.last_restart)) / 1000;
      expect(Math.abs(age - json.uptime_seconds)).toBeLessThan(5);
    });

    it('counts every request, and errors apart', async () => {
      const before = await page('state');
      await orchestrator.get('/health');
      await orchestrator.get('/nonsense');
      await orchestrator.task({});
      const after = await page('state');
      // The first look at the state is counted too, after it was answered.
      expect(after.requests_total - before.requests_total).toBe(4);
      expect(after.requests_per_minute - before.requests_per_minute).toBe(4);
      expect(after.errors_last_hour - before.errors_last_hour).toBe(2);
    });
  });

  it.each(['message', 'send'])('GET /%s describes itself: compliance checkers look', async (name) => {
    expect(await page(name)).toMatchObject({ endpoint: name, method: 'POST', description: expect.any(String) });
  });
});

describe('the standard pages without a Registry', () => {
  it('tell that it is missing, and nothing that is not so', async () => {
    const orchestrator = await TestOrchestrator.start({
      REGISTRY_URL: 'http://127.0.0.1:1',
      DROPLET_ID: '7',
      SERVICE_NAME: 'router',
    });
    const { json } = await orchestrator.get('/dependencies');
    expect([json.required[0].status, json.optional[0].status]).toEqual(['unavailable', 'degraded']);
    expect((await orchestrator.get('/info')).json).toEqual({
      ...{ id: 7, name: 'router', version: '1.1.0', registry_url: 'http://127.0.0.1:1', registered: false },
      ...{ last_registry_sync: null, cache_status: 'unavailable', cache_age_seconds: 999_999 },
    });
    expect((await orchestrator.get('/state')).json.state).toBe('error');
    const query = { trace_id: 't', source: 's', target: 'o', message_type: 'query', payload: { query: 'droplet_list' } };
    expect((await orchestrator.post('/message', query)).json).toMatchObject({
      result: 'error',
      data: { code: 'REGISTRY_ERROR' },
    });
    await orchestrator.stop();
  });

  it('tell of the built-in one as connected', async () => {
    const orchestrator = await TestOrchestrator.start();
    expect((await orchestrator.get('/info')).json).toMatchObject({ registry_url: orchestrator.url, registered: true });
    expect((await orchestrator.get('/dependencies')).json.required[0].status).toBe('connected');
    expect((await orchestrator.get('/capabilities')).json.metadata.registry_url).toBe(orchestrator.url);
    await orchestrator.stop();
  });
});

describe('messages', () => {
  let mesh: TestMesh;
  let orchestrator: TestOrchestrator;

  beforeAll(async () => {
    mesh = await TestMesh.start();
    ({ orchestrator } = mesh);
    const answer = mesh.droplet.handler;
    mesh.droplet.handler = (seen, response) => {
      if (seen.url !== '/message') return answer(seen, response);
      const { payload } = JSON.parse(seen.body) as { payload: { answer?: number } };
      response.writeHead(payload.answer ?? 200).end('{}');
    };
  });

  afterAll(() => mesh.stop());

  const MESSAGE = { trace_id: 'trace-1', source: 'echo', target: 'orchestrator', message_type: 'status', payload: {} };
  const message = (change: object) => orchestrator.post('/orchestrator/message', { ...MESSAGE, ...change });
  const ask = (payload: object) => message({ message_type: 'query', payload });

  describe('POST /message', () => {
    it.each(['status', 'event'])('takes a message of type %s', async (message_type) => {
      const { status, headers, json } = await message({ message_type, payload: { any: ['thing'] } });
      expect(status).toBe(200);
      expect(headers.get('content-type')).toMatch(/^application\/json/);
      expect(json).toEqual({
        ...{ received: true, trace_id: 'trace-1', processed_at: expect.stringMatching(ISO), result: 'success', data: null },
      });
    });

    it('is reached without the prefix too: the Registry delivers there', async () => {
      expect((await orchestrator.post('/message', MESSAGE)).json.result).toBe('success');
    });

    it.each([
      ['text', 'a-b', 'droplet 7'],
      ['numbers', 42, 7],
      ['a negative number and zero', -1, 0],
    ])('takes ids that are %s, and gives the trace back as it came', async (_title, trace_id, source) => {
      const { status, json } = await message({ trace_id, source, target: source });
      expect([status, json.trace_id]).toEqual([200, trace_id]);
    });

    it('answers the query task_status with the record', async () => {
      const { task_id } = (await orchestrator.task({ droplet_name: 'echo', path: '/health' })).json;
      const { json } = await ask({ query: 'task_status', task_id });
      expect(json.result).toBe('success');
      expect(json.data).toEqual((await orchestrator.get(`/tasks/${task_id}`)).json);
    });

    it('answers the query droplet_list with the list', async () => {
      const { json } = await ask({ query: 'droplet_list' });
      expect(json.result).toBe('success');
      expect(json.data.droplets).toEqual((await orchestrator.get('/droplets')).json.droplets);
      expect(json.data.droplets.map(({ name }: { name: string }) => name)).toEqual(
        expect.arrayContaining(['Echo', 'Quiet', 'Gone']),
      );
    });

    it('answers the query system_status with the health page', async () => {
      const { json } = await ask({ query: 'system_status' });
      expect([json.result, json.data.status, sorted(json.data)]).toEqual([
        'success',
        'active',
        sorted((await orchestrator.get('/health')).json),
      ]);
    });

    it.each<[string, string, object]>([
      ['an unknown query', 'query', { query: 'nonsense' }],
      ['no query', 'query', {}],
      ['a query that is no text', 'query', { query: ['task_status'] }],
      ['the status of an unknown task', 'query', { query: 'task_status', task_id: '01890000-0000-7000-8000-000000000000' }],
      ['the status of no task', 'query', { query: 'task_status' }],
      ['the status of a task that is no text', 'query', { query: 'task_status', task_id: { a: 1 } }],
      ['an unknown command', 'command', { command: 'nonsense' }],
      ['no command', 'command', {}],
    ])('answers 200 with result error for %s', async (_title, message_type, payload) => {
      const { status, json } = await message({ message_type, payload });
      expect([status, json.received, json.result]).toEqual([200, true, 'error']);
      expect(json.data).toEqual({ code: expect.any(String), message: expect.any(String) });
    });

    it.each<[string, object]>([
      ['trace_id', { trace_id: undefined }],
      ['trace_id', { trace_id: null }],
      ['trace_id', { trace_id: '' }],
      ['trace_id', { trace_id: 1.5 }],
      ['trace_id', { trace_id: 'x'.repeat(256) }],
      ['source', { source: undefined }],
      ['source', { source: {} }],
      ['target', { target: [] }],
      ['target', { target: true }],
      ['message_type', { message_type: undefined }],
      ['message_type', { message_type: 'nonsense' }],
      ['message_type', { message_type: 'STATUS' }],
      ['payload', { payload: undefined }],
      ['payload', { payload: null }],
      ['payload', { payload: 'text' }],
      ['payload', { payload: [] }],
      ['timestamp', { timestamp: 17 }],
    ])('refuses a wrong %s (%#)', async (field, change) => {
      const { status, json } = await message(change);
      expect([status, json.error.code, json.error.details.errors[0].field]).toEqual([400, 'INVALID_REQUEST', field]);
    });

    it.each(['2026-01-01T00:00:00Z', null, ''])('takes the timestamp %j', async (timestamp) => {
      expect((await message({ timestamp })).status).toBe(200);
    });

    it.each(['', '[]', '"text"', 'null', '{'])('refuses the body %j', async (body) => {
      expect((await orchestrator.post('/message', body)).status).toBe(400);
    });
  });

  describe('POST /send', () => {
    const send = (change: object) =>
      orchestrator.post('/orchestrator/send', { target: 'echo', message_type: 'event', payload: {}, ...change });
    const delivered = () => mesh.droplet.seen.filter(({ url }) => url === '/message');
    /** How many deliveries sending this takes. */
    const deliveries = async (change: object): Promise<number> => {
      const before = delivered().length;
      await send(change);
      return delivered().length - before;
    };

    it("delivers to the droplet's /message, with the orchestrator as its source", async () => {
      const { status, json } = await send({ message_type: 'command', payload: { do: ['it'] }, priority: 'high' });
      expect(status).toBe(200);
      expect(json).toEqual({
        ...{
          sent: true,
          trace_id: expect.stringMatching(UUID),
          target: 'echo',
          timestamp: expect.stringMatching(ISO),
          result: 'success',
        },
      });
      const call = delivered().at(-1)!;
      expect([call.method, call.headers['content-type']]).toEqual(['POST', 'application/json']);
      expect(JSON.parse(call.body)).toEqual({
        ...{ trace_id: json.trace_id, source: 'orchestrator', target: 'echo', message_type: 'command' },
        ...{ payload: { do: ['it'] }, priority: 'high', timestamp: expect.stringMatching(ISO) },
      });
    });

    it.each(['ECHO', 3, '3'])('finds the droplet by name or id: %j', async (target) => {
      const { json } = await send({ target });
      expect([json.sent, json.target]).toEqual([true, target]);
    });

    it('needs a target and a type only', async () => {
      const { status, json } = await orchestrator.post('/send', { target: 'echo', message_type: 'status' });
      expect([status, json.sent]).toEqual([200, true]);
      expect(JSON.parse(delivered().at(-1)!.body)).toMatchObject({ payload: {}, priority: 'normal' });
    });

    it.each(['high', 'normal', 'low'])('takes the priority %s', async (priority) => {
      expect((await send({ priority })).json.sent).toBe(true);
      expect(JSON.parse(delivered().at(-1)!.body).priority).toBe(priority);
    });

    it.each(['status', 'event', 'command', 'query'])('takes the type %s', async (message_type) => {
      expect((await send({ message_type })).json.sent).toBe(true);
    });

    it.each<[string, object]>([
      ['an unknown droplet', { target: 'nobody' }],
      ['an unknown id', { target: 4711 }],
      ['a droplet that is not there', { target: 'gone', retry_count: 1 }],
      ['a droplet that refuses', { payload: { answer: 404 } }],
      ['a droplet that fails', { payload: { answer: 500 }, retry_count: 1 }],
    ])('answers 200 with sent:false for %s', async (_title, change) => {
      const { status, json } = await send(change);
      expect([status, sorted(json)]).toEqual([200, ['result', 'sent', 'target', 'timestamp', 'trace_id']]);
      expect([json.sent, json.result]).toEqual([false, 'error']);
    });

    it.each([
      [1, 1],
      [2, 2],
      [10, 10],
      [undefined, 3],
    ])('tries as often as retry_count says: %s', async (retry_count, expected) => {
      expect(await deliveries({ payload: { answer: 503 }, retry_count })).toBe(expected);
    });

    it('does not repeat what a droplet has refused', async () => {
      expect(await deliveries({ payload: { answer: 404 } })).toBe(1);
    });

    it.each<[string, object]>([
      ['retry_count', { retry_count: 0 }],
      ['retry_count', { retry_count: 11 }],
      ['retry_count', { retry_count: -1 }],
      ['retry_count', { retry_count: 1.5 }],
      ['retry_count', { retry_count: '3' }],
      ['retry_count', { retry_count: null }],
      ['priority', { priority: 'urgent' }],
      ['priority', { priority: 5 }],
      ['target', { target: undefined }],
      ['target', { target: '' }],
      ['target', { target: null }],
      ['message_type', { message_type: undefined }],
      ['message_type', { message_type: 'nonsense' }],
      ['payload', { payload: null }],
      ['payload', { payload: [] }],
      ['payload', { payload: 'text' }],
    ])('refuses a wrong %s (%#)', async (field, change) => {
      const before = delivered().length;
      const { status, json } = await send(change);
      expect([status, json.error.code, json.error.details.errors[0].field]).toEqual([400, 'INVALID_REQUEST', field]);
      expect(delivered().length).toBe(before);
    });
  });
});
