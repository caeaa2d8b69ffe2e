import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { NOT_CALLED_YET, startDroplet } from './support/droplet.js';
import { until } from './support/http.client.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { temporaryFolder } from './support/registry.parts.js';
import { entry, TestRegistry, type RegistryEntry } from './support/registry.js';
import { freePort, reply, TestServer } from './support/server.js';

const FILE = 'orchestrator_droplets.json';
const FIVE_MIB = 5 * 1024 * 1024;

/** How a test waits for the next reads: they come about every 50 ms, failing or not. */
const OFTEN = { REGISTRY_SYNC_INTERVAL: '0.05', REGISTRY_TIMEOUT: '0.3' };
/** Only the read at the start, and those that requests ask for. */
const SELDOM = { REGISTRY_SYNC_INTERVAL: '3600' };

let droplet: TestServer;
/** What the running test has started; it ends beside the next tests, because a quiet end takes a second. */
const running: { stop: () => Promise<unknown> }[] = [];

const ending: Promise<unknown>[] = [];

async function startRegistry(list: RegistryEntry[] = []): Promise<TestRegistry> {
  const registry = await TestRegistry.start(list);
  running.push(registry);
  return registry;
}

async function startOrchestrator(environment: Record<string, string>, home?: string): Promise<TestOrchestrator> {
  const orchestrator = await TestOrchestrator.start(environment, home);
  running.push(orchestrator);
  return orchestrator;
}

const three = (): RegistryEntry[] => [
  entry(11, 'one', droplet.url),
  entry(12, 'two', droplet.url),
  entry(13, 'three', droplet.url),
];
const dropletNames = async (orchestrator: TestOrchestrator): Promise<string[]> =>
  (await orchestrator.get('/orchestrator/droplets')).json.droplets.map(({ name }: { name: string }) => name);
const registryHealth = async (orchestrator: TestOrchestrator) =>
  (await orchestrator.get('/orchestrator/health')).json.dependencies.registry;
const ask = async (orchestrator: TestOrchestrator, name: string) =>
  orchestrator.task({ droplet_name: name, path: '/health', max_attempts: 1 });
/** Milliseconds until the answer was there. */
async function timed<T>(action: () => Promise<T>): Promise<[T, number]> {
  const start = performance.now();
  return [await action(), performance.now() - start];
}

/** The fastest of three: a busy machine may hold up one of them, a wait holds up all. */
async function fastest<T>(action: () => Promise<T>): Promise<[T, number]> {
  const runs = [await timed(action), await timed(action), await timed(action)];
  return runs.sort(([, a], [, b]) => a - b)[0]!;
}

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

describe('reading a Registry that is well', () => {
  it('lists its droplets, says that it is connected, and counts the read', async () => {
    const registry = await startRegistry(three());
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url, ...SELDOM });
    const { status, json } = await orchestrator.get('/orchestrator/droplets');
    expect([status, json.total, json.cache_status]).toEqual([200, 3, 'active']);
    expect(json.droplets[0]).toEqual({
      ...{ id: 11, name: 'one', endpoint: droplet.url, url: droplet.url, version: '1.0.0', metadata: { version: '1.0.0' } },
      ...{ steward: null, status: 'active', proof: null, cost_usd: 0, yield_usd: 0, registered_at: null, updated_at: null },
      health: NOT_CALLED_YET,
    });
    expect(await registryHealth(orchestrator)).toEqual({ status: 'healthy', url: registry.url });
    expect((await orchestrator.get('/orchestrator/dependencies')).json).toEqual({
      required: [{ id: 1, name: 'registry', status: 'connected' }],
      optional: [{ id: null, name: 'registry_cache', status: 'connected' }],
      missing: [],
    });
    const { registry: figures, droplets_known: known } = (await orchestrator.get('/orchestrator/metrics')).json;
    expect([figures.syncs_total, figures.syncs_success, figures.syncs_error, known]).toEqual([1, 1, 0, 3]);
    expect(figures.last_sync).toBeCloseTo(Date.now() / 1000, -2);
  });

  it('answers from the cache, and calls nobody, while the list is fresh', async () => {
    const registry = await startRegistry(three());
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url, ...SELDOM });
    await dropletNames(orchestrator);
    for (let n = 0; n < 5; n++) {
      const { json } = await orchestrator.get('/orchestrator/droplets');
      expect([json.total, json.cache_status, json.served_from]).toEqual([3, 'active', 'cache']);
    }
    expect(registry.server.seen.filter(({ method }) => method === 'GET')).toHaveLength(1);
  });

  it('asks the Registry when the list is stale, and says that it did', async () => {
    const registry = await startRegistry(three());
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url, ...SELDOM, REGISTRY_CACHE_EXPIRY: '0.05' });
    await until(async () => (await orchestrator.get('/orchestrator/info')).json.cache_status === 'stale');
    registry.list.push(entry(14, 'four', droplet.url));
    const { json } = await orchestrator.get('/orchestrator/droplets');
    expect([json.droplets.map(({ id }: { id: number }) => id).includes(14), json.served_from]).toEqual([true, 'registry']);
  });

  it('sends REGISTRY_TOKEN as a Bearer on every call, and to nobody else', async () => {
    const registry = await startRegistry([...three(), entry(2, 'orchestrator', 'http://old')]);
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url, ...OFTEN, REGISTRY_TOKEN: 's3cret' });
    await until(() => registry.server.seen.some(({ method }) => method === 'PATCH'));
    const kinds = new Set(registry.server.seen.map(({ method, url, headers }) => `${method} ${url} ${headers.authorization}`));
    expect([...kinds].sort()).toEqual(
      ['GET /droplets', 'GET /droplets/name/orchestrator', 'PATCH /droplets/2', 'POST /register'].map(
        (call) => `${call} Bearer s3cret`,
      ),
    );
    await ask(orchestrator, 'one');
    expect(droplet.seen.at(-1)?.headers.authorization).toBeUndefined();
  });

  it('takes the exact name first where names differ only in case, else the first in the list', async () => {
    const registry = await startRegistry([
      ...[entry(21, 'ECHO', `${droplet.url}/status?`.slice(0, -1)), entry(22, 'Echo', droplet.url)],
    ]);
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url, ...SELDOM });
    const targets = [];
    for (const name of ['ECHO', 'Echo', 'echo']) targets.push((await ask(orchestrator, name)).json.target_url);
    expect(targets).toEqual([`${droplet.url}/status/health`, `${droplet.url}/health`, `${droplet.url}/status/health`]);
  });

  it.each(['__proto__', 'constructor'])('calls a droplet that is named %s', async (name) => {
    const registry = await startRegistry([entry(21, name, droplet.url)]);
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url, ...SELDOM });
    expect((await ask(orchestrator, name)).json.status).toBe('success');
    expect((await orchestrator.get(`/orchestrator/droplets/${name}`)).json.droplet.id).toBe(21);
    expect((await orchestrator.get('/orchestrator/metrics')).json.droplets_reachable).toBe(1);
  });

  it('leaves out bad entries and duplicates, and counts them', async () => {
    const registry = await startRegistry();
    const bad = [null, 'x', { id: 1 }, { id: 5, name: 'bad', endpoint: 'nowhere' }];
    const answer = [...three(), ...bad, entry(99, 'one', 'http://other')];
    registry.mode = ({ url }, response) => url === '/droplets' && (reply(response, 200, { droplets: answer }), true);
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url, ...SELDOM });
    expect(await dropletNames(orchestrator)).toEqual(['one', 'two', 'three']);
    expect((await orchestrator.get('/orchestrator/droplets/one')).json.droplet.id).toBe(11);
    expect((await registryHealth(orchestrator)).status).toBe('healthy');
    const { text } = await orchestrator.get('/orchestrator/metrics/prometheus');
    expect(text).toMatch(/^orchestrator_registry_rejected_entries_total 5$/m);
  });

  it('takes a bare list', async () => {
    const registry = await startRegistry();
    registry.mode = ({ url }, response) => url === '/droplets' && (reply(response, 200, three()), true);
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url, ...SELDOM });
    expect(await dropletNames(orchestrator)).toEqual(['one', 'two', 'three']);
  });
});

describe('a droplet that is not in the list', () => {
  it('is found at once when it has just registered', async () => {
    const registry = await startRegistry(three());
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url, ...SELDOM });
    await dropletNames(orchestrator);
    registry.list.push(entry(14, 'newcomer', droplet.url));
    expect((await ask(orchestrator, 'newcomer')).json.status).toBe('success');
  });

  it('is waited for about 250 ms when the Registry does not answer', async () => {
    const registry = await startRegistry(three());
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url, ...SELDOM });
    await dropletNames(orchestrator);
    registry.mode = ({ method }) => method === 'GET';
    const [{ status }, ms] = await timed(() => ask(orchestrator, 'nobody'));
    expect([status, ms > 240, ms < 3000]).toEqual([400, true, true]);
    const [, again] = await timed(() => ask(orchestrator, 'nobody'));
    expect([again > 240, again < 3000]).toEqual([true, true]);
  });

  it('costs one read, however many ask for it, and an answer after about 250 ms', async () => {
    const registry = await startRegistry(three());
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url, ...SELDOM });
    await dropletNames(orchestrator);
    const reads = (): number => registry.server.seen.filter(({ method }) => method === 'GET').length;
    const before = reads();
    registry.mode = ({ method }) => method === 'GET';
    const [answers, ms] = await timed(() => Promise.all(Array.from({ length: 500 }, () => ask(orchestrator, 'nobody'))));
    expect(new Set(answers.map(({ status, json }) => `${status} ${json.error.code}`))).toEqual(
      new Set(['400 DROPLET_NOT_FOUND']),
    );
    expect(answers[0]?.json.error.details).toEqual({ requested_droplet: 'nobody', available_droplets: ['one', 'two', 'three'] });
    expect(reads() - before).toBe(1);
    // 250 ms of waiting, and what 500 requests cost on a small and busy machine.
    expect(ms).toBeLessThan(4000);
  });

  it('costs no further read within 5 s', async () => {
    const registry = await startRegistry(three());
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url, ...SELDOM });
    await dropletNames(orchestrator);
    await ask(orchestrator, 'nobody');
    const before = registry.server.hits('/droplets');
    for (const name of ['nobody', 'no-one', 'none']) expect((await ask(orchestrator, name)).status).toBe(400);
    expect(registry.server.hits('/droplets')).toBe(before);
  });
});

describe('a Registry that falls ill', () => {
  let registry: TestRegistry;
  let orchestrator: TestOrchestrator;
  let elsewhere: TestServer;

  beforeEach(async () => {
    elsewhere = await TestServer.start((_seen, response) => reply(response, 200, [entry(66, 'evil', droplet.url)]));
    running.push(elsewhere);
    registry = await startRegistry([entry(2, 'orchestrator', 'http://us'), ...three()]);
    orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url, ...OFTEN });
    await until(async () => (await orchestrator.get('/orchestrator/info')).json.registered);
  });

  const answerWith = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
    registry.mode = ({ url }, response) => url === '/droplets' && (reply(response, status, body, headers), true);
  };

  /** Nothing changes for callers. */
  async function expectServiceAsBefore(): Promise<void> {
    const { json: task } = await ask(orchestrator, 'two');
    expect([task.status, task.error]).toEqual(['success', null]);
    const { status, json } = await orchestrator.get('/orchestrator/droplets');
    expect([status, json.total, json.served_from]).toEqual([200, 4, 'cache']);
    expect((await orchestrator.get('/orchestrator/health')).json.status).toBe('active');
    expect((await orchestrator.get('/orchestrator/health/ready')).status).toBe(200);
  }

  it.each<[string, number, unknown, RegExp]>([
    ['500', 500, { detail: 'broken' }, /500/],
    ['404', 404, { detail: 'Not Found' }, /404/],
    ['HTML with 200', 200, '<!doctype html><h1>Maintenance</h1>', /not JSON/],
    ['null', 200, 'null', /no list/],
    ['an object without a list', 200, '{}', /no list/],
    ['half a document', 200, '{"droplets":[{"id":1', /not JSON/],
    ['nothing', 204, '', /not JSON/],
    ['over 5 MiB', 200, `["${'x'.repeat(FIVE_MIB)}"]`, /larger than 5242880 bytes/],
  ])('that answers %s changes nothing for callers, and is degraded', async (_what, status, body, error) => {
    answerWith(status, body);
    const health = await until(async () => {
      const now = await registryHealth(orchestrator);
      return now.status === 'degraded' && now;
    });
    expect(health.error).toMatch(error);
    expect((await orchestrator.get('/orchestrator/dependencies')).json.required[0].status).toBe('unavailable');
    await expectServiceAsBefore();
    const { registry: figures } = (await orchestrator.get('/orchestrator/metrics')).json;
    expect([figures.syncs_error > 0, figures.cache_status]).toEqual([true, 'active']);
  });

  it('that answers over 5 MiB in pieces is cut off', async () => {
    let written = 0;
    registry.mode = ({ url }, response) => {
      if (url !== '/droplets') return false;
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = (): void => {
        while (!response.destroyed && written < 64 * FIVE_MIB && response.write('[1,'.repeat(20_000))) written += 60_000;
      };
      response.on('drain', more).on('error', () => undefined);
      more();
      return true;
    };
    await until(async () => (await registryHealth(orchestrator)).status === 'degraded');
    await expectServiceAsBefore();
    expect(written).toBeLessThan(64 * FIVE_MIB);
  });

  it('is healthy again with the first good answer', async () => {
    answerWith(500, 'x');
    await until(async () => (await registryHealth(orchestrator)).status === 'degraded');
    registry.mode = null;
    registry.list.push(entry(14, 'four', droplet.url));
    await until(async () => (await registryHealth(orchestrator)).status === 'healthy');
    expect(await dropletNames(orchestrator)).toEqual(['orchestrator', 'one', 'two', 'three', 'four']);
    expect((await registryHealth(orchestrator)).error).toBeUndefined();
  });

  it('that redirects to a path on the same host is followed', async () => {
    registry.list.push(entry(14, 'four', droplet.url));
    registry.mode = ({ url }, response) => {
      if (url === '/droplets') reply(response, 307, '', { location: '/v2/droplets?all=1' });
      else if (url === '/v2/droplets?all=1') reply(response, 200, registry.list);
      else return false;
      return true;
    };
    await until(async () => (await dropletNames(orchestrator)).includes('four'));
    expect((await registryHealth(orchestrator)).status).toBe('healthy');
  });

  it.each([
    ['another port', () => elsewhere.url],
    ['another name of the host', () => `http://localhost:${elsewhere.port}`],
    ['another scheme', () => `https://127.0.0.1:${registry.server.port}`],
    ['itself, over and over', () => ''],
    ['nonsense', () => 'http://[nonsense'],
  ])('that redirects to %s is not followed', async (_where, base) => {
    registry.server.seen.length = 0;
    answerWith(302, '', { location: `${base()}/droplets` });
    await until(async () => (await registryHealth(orchestrator)).status === 'degraded');
    await expectServiceAsBefore();
    expect(elsewhere.connectionCount + elsewhere.seen.length).toBe(0);
  });

  it('that redirects a registration is not followed, not even on the same host', async () => {
    registry.server.seen.length = 0;
    registry.mode = ({ method }, response) => method === 'POST' && (reply(response, 307, '', { location: '/other' }), true);
    registry.list = registry.list.filter(({ name }) => name !== 'orchestrator');
    await until(() => registry.server.hits('/register') > 0);
    await until(async () => !(await orchestrator.get('/orchestrator/info')).json.registered);
    expect(registry.server.hits('/other')).toBe(0);
  });

  it('that resets the connection is unhealthy, and changes nothing for callers', async () => {
    registry.mode = (_seen, response) => (response.socket?.resetAndDestroy(), true);
    const health = await until(async () => {
      const now = await registryHealth(orchestrator);
      return now.status === 'unhealthy' && now;
    });
    expect(health.error).toMatch(/Connection/);
    await expectServiceAsBefore();
  });

  it('that nobody listens on is unhealthy, and changes nothing for callers', async () => {
    await registry.stop();
    running.splice(running.indexOf(registry), 1);
    await until(async () => /Connection failed/.test((await registryHealth(orchestrator)).error));
    expect((await registryHealth(orchestrator)).status).toBe('unhealthy');
    await expectServiceAsBefore();
  });

  it('that hangs is unhealthy, with a timeout', async () => {
    registry.mode = () => true;
    await until(async () => (await registryHealth(orchestrator)).status === 'unhealthy');
    expect((await registryHealth(orchestrator)).error).toMatch(/Timeout/);
    await expectServiceAsBefore();
  });
});

describe('while the Registry hangs', () => {
  it.each([
    ['fresh', '300'],
    ['stale', '0.001'],
  ])('health, droplets, info and tasks answer fast from a %s list', async (_age, expiry) => {
    const registry = await startRegistry(three());
    const orchestrator = await startOrchestrator({
      ...{ REGISTRY_URL: registry.url, REGISTRY_SYNC_INTERVAL: '0.05', REGISTRY_TIMEOUT: '600', REGISTRY_CACHE_EXPIRY: expiry },
    });
    await dropletNames(orchestrator);
    registry.mode = () => true;
    const before = registry.server.hits('/droplets');
    await until(() => registry.server.hits('/droplets') > before);
    for (const page of ['health', 'info', 'dependencies', 'metrics', 'health/ready', 'health/live', 'droplets', 'droplets/one']) {
      const [{ status }, ms] = await fastest(() => orchestrator.get(`/orchestrator/${page}`));
      expect([page, status, ms < 600]).toEqual([page, 200, true]);
    }
    const [{ json }, ms] = await fastest(() => ask(orchestrator, 'one'));
    expect([json.status, ms < 600]).toEqual(['success', true]);
  });

  it('an orchestrator starts, and health answers fast before there ever was a list', async () => {
    const registry = await startRegistry();
    registry.mode = () => true;
    const [orchestrator, startMs] = await timed(() => startOrchestrator({ REGISTRY_URL: registry.url, REGISTRY_TIMEOUT: '600' }));
    expect(startMs).toBeLessThan(10_000);
    const [{ json }, ms] = await fastest(() => orchestrator.get('/orchestrator/health'));
    expect([json.status, json.dependencies.registry.status, ms < 600]).toEqual(['error', 'unhealthy', true]);
  });

  it('the first listing waits REGISTRY_TIMEOUT for the read under way, not longer', async () => {
    const registry = await startRegistry();
    registry.mode = () => true;
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url, REGISTRY_TIMEOUT: '0.4' });
    const [{ status }, ms] = await timed(() => orchestrator.get('/orchestrator/droplets'));
    expect([status, ms < 3000]).toEqual([503, true]);
  });

  it('the first listing is served by the read that it waited for', async () => {
    const registry = await startRegistry(three());
    registry.mode = ({ url }, response) =>
      url === '/droplets' && (setTimeout(() => reply(response, 200, { droplets: registry.list }), 40), true);
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url, ...SELDOM });
    const { json } = await orchestrator.get('/orchestrator/droplets');
    expect([json.total, json.served_from]).toEqual([3, 'registry']);
  });
});

describe('a Registry that loses droplets', () => {
  const settings = { ...OFTEN, REGISTRY_MISSING_KEEP: '86400' };
  const statuses = async (orchestrator: TestOrchestrator): Promise<string[]> =>
    (await orchestrator.get('/orchestrator/droplets')).json.droplets
      .filter(({ name }: { name: string }) => name !== 'orchestrator')
      .map(({ name, status }: { name: string; status: string }) => `${name} ${status}`);

  it.each<[string, string[], string[]]>([
    ['an empty list', [], ['one inactive', 'two inactive', 'three inactive', 'four inactive']],
    ['a quarter of the list', ['one'], ['one active', 'two inactive', 'three inactive', 'four inactive']],
    ['half the list', ['one', 'two'], ['one active', 'two active']],
    ['all but one', ['one', 'two', 'three'], ['one active', 'two active', 'three active']],
  ])('and answers %s', async (_what, left, expected) => {
    const ourselves = 'orchestrator';
    const registry = await startRegistry([...three(), entry(14, 'four', droplet.url)]);
    // We stay out of the sum: a Registry that refuses us never shows us.
    registry.mode = ({ method }, response) => method === 'POST' && (reply(response, 500, ''), true);
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url, ...settings });
    await until(async () => (await dropletNames(orchestrator)).filter((name) => name !== ourselves).length === 4);
    registry.list = registry.list.filter(({ name }) => left.includes(name));
    await until(async () => (await statuses(orchestrator)).join() === expected.join());
    for (const line of expected) expect((await ask(orchestrator, line.split(' ')[0]!)).json.status).toBe('success');
    const { status, json } = await orchestrator.get('/orchestrator/droplets');
    expect([status, json.cache_status]).toEqual([200, 'active']);
  });

  it('shows them as active again when they return', async () => {
    const registry = await startRegistry(three());
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url, ...settings });
    await until(async () => (await dropletNames(orchestrator)).includes('one'));
    registry.list = [];
    await until(async () => (await statuses(orchestrator)).includes('one inactive'));
    registry.list = three();
    await until(async () => (await statuses(orchestrator)).join() === 'one active,two active,three active');
  });

  it('says when a call fails that the droplet was missing', async () => {
    const registry = await startRegistry([entry(11, 'one', `http://127.0.0.1:${await freePort()}`)]);
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url, ...settings });
    await until(async () => (await dropletNames(orchestrator)).includes('one'));
    registry.list = [];
    await until(async () => (await statuses(orchestrator)).includes('one inactive'));
    const { json } = await ask(orchestrator, 'one');
    expect([json.error.code, json.error.details.droplet_status]).toEqual(['DROPLET_UNREACHABLE', 'inactive']);
  });

  it('lets them go after REGISTRY_MISSING_KEEP', async () => {
    const registry = await startRegistry(three());
    const orchestrator = await startOrchestrator({ REGISTRY_URL: registry.url, ...OFTEN, REGISTRY_MISSING_KEEP: '0.2' });
    await until(async () => (await dropletNames(orchestrator)).includes('one'));
    registry.list = [];
    await until(async () => (await statuses(orchestrator)).length === 0);
    expect((await ask(orchestrator, 'one')).json.error.code).toBe('DROPLET_NOT_FOUND');
  });
});

describe('a start while the Registry is down', () => {
  let home: string;
  let down: string;

  beforeEach(async () => {
    // The orchestrator that gets it removes it when it stops.
    ({ home } = temporaryFolder());
    down = `http://127.0.0.1:${await freePort()}`;
  });

  it('without a cache file: not ready, no droplets, and every answer says why', async () => {
    const orchestrator = await startOrchestrator({ REGISTRY_URL: down }, home);
    const list = await orchestrator.get('/orchestrator/droplets');
    expect([list.status, list.json.error.code, list.json.detail.error.code]).toEqual([503, 'REGISTRY_ERROR', 'REGISTRY_ERROR']);
    const task = await ask(orchestrator, 'one');
    expect([task.status, task.json.detail.error.code]).toEqual([400, 'DROPLET_NOT_FOUND']);
    expect(task.json.error.message).toContain('one');
    expect(task.json.error.details).toEqual({ requested_droplet: 'one', available_droplets: [] });
    const ready = await orchestrator.get('/orchestrator/health/ready');
    expect([ready.status, ready.json.error.code]).toEqual([503, 'NOT_READY']);
    const health = await orchestrator.get('/orchestrator/health');
    expect([health.status, health.json.status]).toEqual([200, 'error']);
    expect(health.json.dependencies.cache).toEqual({ status: 'unavailable', age_seconds: 999_999, droplet_count: 0 });
    const { json: info } = await orchestrator.get('/orchestrator/info');
    expect([info.registered, info.last_registry_sync, info.cache_status]).toEqual([false, null, 'unavailable']);
    const { json: dependencies } = await orchestrator.get('/orchestrator/dependencies');
    expect([dependencies.required[0].status, dependencies.optional[0].status]).toEqual(['unavailable', 'degraded']);
    expect((await orchestrator.get('/orchestrator/health/live')).status).toBe(200);
  });

  it('becomes ready by itself when the Registry comes up', async () => {
    const port = await freePort();
    const orchestrator = await startOrchestrator({ REGISTRY_URL: `http://127.0.0.1:${port}`, ...OFTEN }, home);
    expect((await orchestrator.get('/orchestrator/droplets')).status).toBe(503);
    const late = await startRegistry(three());
    running.push(await TestServer.start(late.server.handler, port));
    await until(async () => (await orchestrator.get('/orchestrator/health/ready')).status === 200);
    expect((await ask(orchestrator, 'one')).json.status).toBe('success');
  });

  it('works with the list of an earlier life', async () => {
    const registry = await startRegistry(three());
    const first = await TestOrchestrator.start({ REGISTRY_URL: registry.url, ...SELDOM }, home);
    await dropletNames(first);
    const file = path.join(home, FILE);
    await until(() => existsSync(file) && readFileSync(file, 'utf8').includes('three'));
    await first.leave();
    const orchestrator = await startOrchestrator({ REGISTRY_URL: down }, home);
    expect((await ask(orchestrator, 'TWO')).json.status).toBe('success');
    const { json } = await orchestrator.get('/orchestrator/droplets');
    expect([json.total, json.cache_status, json.served_from]).toEqual([3, 'active', 'cache']);
    expect((await orchestrator.get('/orchestrator/health/ready')).status).toBe(200);
    expect((await orchestrator.get('/orchestrator/health')).json.status).toBe('active');
  });

  it("works with v1.1.0's file, ten minutes old: stale, from the cache, ready", async () => {
    const file = path.join(home, FILE);
    writeFileSync(file, JSON.stringify(three()));
    const then = Date.now() / 1000 - 600;
    utimesSync(file, then, then);
    const orchestrator = await startOrchestrator({ REGISTRY_URL: down }, home);
    const { status, json } = await orchestrator.get('/orchestrator/droplets');
    expect([status, json.total, json.cache_status, json.served_from]).toEqual([200, 3, 'stale', 'cache']);
    expect((await orchestrator.get('/orchestrator/health/ready')).status).toBe(200);
    const { cache } = (await orchestrator.get('/orchestrator/health')).json.dependencies;
    expect([cache.status, cache.age_seconds >= 600, cache.age_seconds < 660]).toEqual(['stale', true, true]);
    expect((await orchestrator.get('/orchestrator/dependencies')).json.optional[0].status).toBe('degraded');
    expect((await ask(orchestrator, 'one')).json.status).toBe('success');
  });

  it.each([
    ['truncated', '{"schema":1,"droplets":[{'],
    ['garbage', '\u0000\u0001'],
  ])('with a cache file that is %s: starts as without one', async (_fault, text) => {
    writeFileSync(path.join(home, FILE), text);
    const orchestrator = await startOrchestrator({ REGISTRY_URL: down }, home);
    expect((await orchestrator.get('/orchestrator/droplets')).status).toBe(503);
  });
});
