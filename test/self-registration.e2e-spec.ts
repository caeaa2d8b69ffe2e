import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { VERSION } from '../src/config/version.js';
import { startDroplet } from './support/droplet.js';
import { until } from './support/http.client.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { entry, TestRegistry, type RegistryEntry } from './support/registry.js';
import { freePort, reply, TestServer } from './support/server.js';

const OFTEN = { REGISTRY_SYNC_INTERVAL: '0.1', REGISTRY_TIMEOUT: '0.5' };

let droplet: TestServer;
/** What the running test has started; it ends beside the next tests, because a quiet end takes a second. */
const running: { stop: () => Promise<unknown> }[] = [];
const ending: Promise<unknown>[] = [];

async function startRegistry(list: RegistryEntry[] = []): Promise<TestRegistry> {
  const registry = await TestRegistry.start(list);
  running.push(registry);
  return registry;
}

async function startOrchestrator(environment: Record<string, string>): Promise<TestOrchestrator> {
  const orchestrator = await TestOrchestrator.start({ ...OFTEN, ...environment });
  running.push(orchestrator);
  return orchestrator;
}

const writes = (registry: TestRegistry): string[] =>
  registry.server.seen.filter(({ method }) => method !== 'GET').map(({ method, url }) => `${method} ${url}`);
const registrations = (registry: TestRegistry): unknown[] =>
  registry.server.seen.filter(({ url }) => url === '/register').map(({ body }) => JSON.parse(body));
const info = async (orchestrator: TestOrchestrator) => (await orchestrator.get('/orchestrator/info')).json;
const readsOf = (registry: TestRegistry): number => registry.server.seen.filter(({ url }) => url === '/droplets').length;

beforeAll(async () => {
  droplet = await startDroplet();
});

afterEach(() => {
  ending.push(...running.splice(0).map((each) => each.stop()));
});

afterAll(async () => {
  await Promise.all(ending);
  await droplet.stop();
});

describe('registering with a Registry', () => {
  it('tells it name, id, url and version, once', async () => {
    const registry = await startRegistry([entry(11, 'one', droplet.url)]);
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url, SERVICE_NAME: 'conductor', DROPLET_ID: '7' });
    await until(async () => (await info(orchestrator)).registered);
    const reads = readsOf(registry);
    await until(() => readsOf(registry) > reads + 2);
    expect(registrations(registry)).toEqual([{ name: 'conductor', id: 7, url: orchestrator.url, version: VERSION }]);
    expect(await info(orchestrator)).toEqual({
      ...{ id: 7, name: 'conductor', version: VERSION, registry_url: registry.url, registered: true },
      ...{ last_registry_sync: expect.any(Number), cache_status: 'active', cache_age_seconds: 0 },
    });
    const { json } = await orchestrator.get('/orchestrator/droplets/conductor');
    expect([json.droplet.id, json.droplet.endpoint]).toEqual([7, orchestrator.url]);
  });

  it('updates its entry with endpoint and metadata where the name is known already', async () => {
    const registry = await startRegistry([entry(77, 'orchestrator', 'http://old:1')]);
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url });
    await until(async () => (await info(orchestrator)).registered);
    expect(writes(registry)).toEqual(['POST /register', 'PATCH /droplets/77']);
    const patch = registry.server.seen.find(({ method }) => method === 'PATCH')!;
    expect(JSON.parse(patch.body)).toEqual({ endpoint: orchestrator.url, metadata: { version: VERSION } });
    expect(patch.headers['content-type']).toBe('application/json');
    expect(registry.server.seen.some(({ method, url }) => method === 'GET' && url === '/droplets/name/orchestrator')).toBe(true);
  });

  it('leaves its id out when another droplet has it, so that this one is not overwritten', async () => {
    const registry = await startRegistry([entry(2, 'one', droplet.url)]);
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url });
    await until(async () => (await info(orchestrator)).registered);
    expect(registrations(registry)).toEqual([{ name: 'orchestrator', url: orchestrator.url, version: VERSION }]);
    expect(registry.list.map(({ name }) => name)).toEqual(['one', 'orchestrator']);
  });

  it('takes over when another droplet stands under our name with another id', async () => {
    const registry = await startRegistry([entry(2, 'one', droplet.url), entry(50, 'orchestrator', 'http://someone-else:1')]);
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url });
    await until(async () => (await info(orchestrator)).registered);
    expect(registry.list).toMatchObject([
      { id: 2, name: 'one' },
      { id: 50, name: 'orchestrator', endpoint: orchestrator.url },
    ]);
  });

  it('goes on until it works, while tasks are served', async () => {
    const registry = await startRegistry([entry(11, 'one', droplet.url)]);
    registry.mode = ({ method }, response) => method === 'POST' && (reply(response, 503, ''), true);
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url });
    await until(() => registrations(registry).length >= 2);
    expect((await info(orchestrator)).registered).toBe(false);
    expect((await orchestrator.task({ droplet_name: 'one', path: '/health' })).json.status).toBe('success');
    registry.mode = null;
    await until(async () => (await info(orchestrator)).registered, 15_000);
    expect(registry.list.map(({ name }) => name)).toEqual(['one', 'orchestrator']);
  });

  it('does not hold up the start when the Registry is down, and happens when it comes up', async () => {
    const port = await freePort();
    const start = performance.now();
    const orchestrator = await startOrchestrator({ REGISTRY_URL: `http://127.0.0.1:${port}` });
    expect((await orchestrator.get('/orchestrator/health')).status).toBe(200);
    expect(performance.now() - start).toBeLessThan(10_000);
    expect((await info(orchestrator)).registered).toBe(false);
    const late = await startRegistry([entry(11, 'one', droplet.url)]);
    running.push(await TestServer.start(late.server.handler, port));
    await until(async () => (await info(orchestrator)).registered, 15_000);
    expect(late.list.map(({ name }) => name)).toEqual(['one', 'orchestrator']);
  });

  it('happens again when the Registry was restarted empty, and tasks go on all the time', async () => {
    const registry = await startRegistry([entry(11, 'one', droplet.url), entry(12, 'two', droplet.url)]);
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url });
    await until(async () => (await orchestrator.get('/orchestrator/droplets')).json.total === 3);
    const outcomes: string[] = [];
    const call = async (): Promise<void> => {
      const { json } = await orchestrator.task({ droplet_name: 'two', path: '/health' });
      outcomes.push(json.status);
    };
    registry.list = [];
    await until(async () => (await call(), registry.list.some(({ name }) => name === 'orchestrator')));
    // And it stays empty but for us.
    const reads = readsOf(registry);
    await until(async () => (await call(), readsOf(registry) > reads + 3));
    expect([...new Set(outcomes)]).toEqual(['success']);
    expect(registrations(registry)).toHaveLength(2);
    const { json } = await orchestrator.get('/orchestrator/droplets');
    expect(json.droplets.map(({ name, status }: { name: string; status: string }) => `${name} ${status}`).sort()).toEqual([
      ...['one inactive', 'orchestrator active', 'two inactive'],
    ]);
  });

  it('lets a droplet go that was missing while the Registry was empty once it is back under a new place', async () => {
    const registry = await startRegistry([entry(11, 'one', 'http://127.0.0.1:1')]);
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url });
    await until(async () => (await orchestrator.get('/orchestrator/droplets')).json.total === 2);
    registry.list = [];
    await until(async () => (await orchestrator.get('/orchestrator/droplets/one')).json.droplet.status === 'inactive');
    registry.list.push(entry(31, 'one', droplet.url));
    await until(async () => (await orchestrator.get('/orchestrator/droplets/one')).json.droplet.status === 'active');
    expect((await orchestrator.task({ droplet_name: 'one', path: '/health' })).json.target_url).toBe(`${droplet.url}/health`);
  });
});
