import { afterEach, describe, expect, it } from '@jest/globals';
import { until } from './support/http.client.js';
import { TestMesh } from './support/mesh.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { reply, rawServer } from './support/server.js';

const sorted = (value: object): string[] => Object.keys(value).sort();
const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

const toStop: { stop: () => Promise<void> }[] = [];
const kept = <T extends { stop: () => Promise<void> }>(one: T): T => {
  toStop.push(one);
  return one;
};

afterEach(async () => {
  for (const one of toStop.splice(0).reverse()) await one.stop();
});

const meshReady = async (environment: Record<string, string> = {}): Promise<TestMesh> => {
  const mesh = kept(await TestMesh.start(environment));
  await until(async () => (await mesh.orchestrator.get('/health/ready')).status === 200);
  return mesh;
};

describe('GET /health', () => {
  it('is 200 and has exactly the keys of the contract (seed: health_returns_200, health_returns_correct_format)', async () => {
    const { orchestrator, registry } = await meshReady({ STEWARD: 'somebody' });
    const { status, json } = await orchestrator.get('/orchestrator/health');
    expect(status).toBe(200);
    expect(sorted(json)).toEqual(
      ['status', 'service', 'version', 'timestamp', 'id', 'name', 'steward', 'endpoint', 'updated_at', 'dependencies'].sort(),
    );
    expect(json).toMatchObject({
      ...{ status: 'active', service: 'orchestrator', version: '1.1.0', id: 2, name: 'orchestrator', steward: 'somebody' },
      endpoint: orchestrator.url,
      dependencies: {
        registry: { status: 'healthy', url: registry.url },
        cache: { status: 'active', droplet_count: (await orchestrator.get('/droplets')).json.total },
        storage: { status: 'healthy' },
      },
    });
    expect([json.timestamp, json.updated_at]).toEqual([expect.stringMatching(ISO), expect.stringMatching(ISO)]);
    expect(Number.isInteger(json.dependencies.cache.age_seconds)).toBe(true);
    expect(json.dependencies.registry).not.toHaveProperty('error');
  });

  it.each(['/health', '/health/', '/orchestrator/health', '/orchestrator/health/'])('answers at %s', async (path) => {
    const orchestrator = kept(await TestOrchestrator.start());
    expect((await orchestrator.get(path)).json.service).toBe('orchestrator');
  });

  it('has a steward of null, not none, when there is none', async () => {
    const orchestrator = kept(await TestOrchestrator.start());
    expect((await orchestrator.get('/health')).json).toHaveProperty('steward', null);
  });

  it('is active and healthy with the built-in Registry, whose URL is ours', async () => {
    const orchestrator = kept(await TestOrchestrator.start());
    const { json } = await orchestrator.get('/health');
    expect([json.status, json.dependencies.registry]).toEqual(['active', { status: 'healthy', url: orchestrator.url }]);
    expect(json.dependencies.cache).toEqual({ status: 'active', age_seconds: 0, droplet_count: 1 });
  });

  it('is an error while no droplet list was ever had, with the age that means never', async () => {
    const orchestrator = kept(await TestOrchestrator.start({ REGISTRY_URL: 'http://127.0.0.1:1' }));
    const registry = await until(async () => {
      const { json } = await orchestrator.get('/health');
      return json.dependencies.registry.error.includes('not read yet') ? null : json;
    });
    expect([registry.status, registry.dependencies.registry.status]).toEqual(['error', 'unhealthy']);
    expect(registry.dependencies.cache).toEqual({ status: 'unavailable', age_seconds: 999_999, droplet_count: 0 });
  });

  it.each<[string, (response: any) => void, string]>([
    ['answers badly', (response) => reply(response, 500), 'degraded'],
    ['answers nonsense', (response) => reply(response, 200, '<html>'), 'degraded'],
    ['does not answer', (response) => response.socket.destroy(), 'unhealthy'],
  ])('is active with a list, although the Registry %s', async (_title, answer, status) => {
    const { orchestrator, registry } = await meshReady({ REGISTRY_SYNC_INTERVAL: '0.05' });
    registry.mode = (_seen, response) => {
      answer(response);
      return true;
    };
    const json = await until(async () => {
      const { json: page } = await orchestrator.get('/health');
      return page.dependencies.registry.status === 'healthy' ? null : page;
    });
    expect([json.status, json.dependencies.registry.status]).toEqual(['active', status]);
    expect(json.dependencies.registry.error).toEqual(expect.any(String));
    expect((await orchestrator.get('/health/ready')).status).toBe(200);
  });

  it('answers at once while the Registry hangs', async () => {
    const silent = kept(await rawServer(() => undefined));
    const orchestrator = kept(await TestOrchestrator.start({ REGISTRY_URL: silent.url, REGISTRY_TIMEOUT: '20' }));
    await until(() => silent.connections() > 0);
    const times: number[] = [];
    for (let n = 0; n < 10; n++) {
      const start = performance.now();
      expect((await orchestrator.get('/orchestrator/health')).status).toBe(200);
      times.push(performance.now() - start);
    }
    // The contract says 100 ms; the best of ten keeps a busy machine from failing it.
    expect(Math.min(...times)).toBeLessThan(100);
  });

  it('calls nobody', async () => {
    const { orchestrator, registry, droplet } = await meshReady();
    const calls = [registry.server.hits('/droplets'), droplet.hits()];
    for (let n = 0; n < 20; n++) await orchestrator.get('/health');
    expect([registry.server.hits('/droplets'), droplet.hits()]).toEqual(calls);
  });

  it('is inactive while it leaves, still 200, and not ready', async () => {
    const orchestrator = kept(await TestOrchestrator.start({ SHUTDOWN_DELAY: '1' }));
    const leaving = orchestrator.leave();
    const { status, json } = await orchestrator.get('/health');
    expect([status, json.status]).toEqual([200, 'inactive']);
    const ready = await orchestrator.get('/health/ready');
    expect([ready.status, ready.json.error.details]).toEqual([
      503,
      { shutdown: { status: 'down', message: 'The process is shutting down' } },
    ]);
    expect((await orchestrator.get('/health/live')).status).toBe(200);
    expect((await orchestrator.get('/state')).json.state).toBe('inactive');
    await leaving;
    toStop.pop();
  });
});

describe('the probes', () => {
  it.each(['live', 'ready', 'startup'])('%s is 200 when all is well', async (probe) => {
    const { orchestrator } = await meshReady();
    for (const path of [`/health/${probe}`, `/orchestrator/health/${probe}`]) {
      const { status, json } = await orchestrator.get(path);
      expect([status, json.status]).toEqual([200, 'ok']);
    }
  });

  it('ready is 503 NOT_READY until a droplet list was had, and says so; live and startup are not', async () => {
    const orchestrator = kept(await TestOrchestrator.start({ REGISTRY_URL: 'http://127.0.0.1:1' }));
    const { status, json } = await orchestrator.get('/orchestrator/health/ready');
    expect([status, json.status, json.error.code, json.detail.error.code]).toEqual([503, 'error', 'NOT_READY', 'NOT_READY']);
    expect(json.error.details).toEqual({ droplets: { status: 'down', message: 'No droplet list was ever had' } });
    for (const probe of ['live', 'startup']) expect((await orchestrator.get(`/health/${probe}`)).status).toBe(200);
  });

  it('ready is 200 with a list from an earlier life, although the Registry is down', async () => {
    const mesh = await meshReady();
    await until(async () => (await mesh.orchestrator.get('/info')).json.cache_status === 'active');
    const { url } = mesh.registry;
    await mesh.orchestrator.leave();
    await mesh.registry.stop();
    const next = kept(await TestOrchestrator.start({ REGISTRY_URL: url }, mesh.orchestrator.home));
    expect((await next.get('/health/ready')).status).toBe(200);
    expect((await next.task({ droplet_name: 'echo', path: '/health' })).json.status).toBe('success');
    await next.stop();
    toStop.splice(0);
    await mesh.droplet.stop();
  });
});
