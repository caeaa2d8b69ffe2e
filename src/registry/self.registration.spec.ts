import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../../test/support/http.client.js';
import { ManualClock } from '../../test/support/manual.clock.js';
import { knownDroplet, ReadableLog, registryClient, settingsOf } from '../../test/support/registry.parts.js';
import { TestRegistry, entry } from '../../test/support/registry.js';
import { reply } from '../../test/support/server.js';
import { VERSION } from '../config/version.js';
import { DropletCache } from './droplet.cache.js';
import { SelfRegistration } from './self.registration.js';

const OURS = 'http://us:8001';

describe('our own entry in the Registry', () => {
  let registry: TestRegistry;
  let clock: ManualClock;
  let log: ReadableLog;
  let cache: DropletCache;
  let outbound: ReturnType<typeof registryClient>;
  let registration: SelfRegistration;

  const calls = (): string[] => registry.server.seen.map(({ method, url }) => `${method} ${url}`);
  const bodies = (): unknown[] => registry.server.seen.filter(({ body }) => body).map(({ body }) => JSON.parse(body));

  beforeEach(async () => {
    registry = await TestRegistry.start();
    clock = new ManualClock();
    log = new ReadableLog();
    const settings = settingsOf({ REGISTRY_URL: registry.url, PUBLIC_URL: OURS });
    outbound = registryClient(settings, clock);
    cache = new DropletCache(clock, settings);
    registration = new SelfRegistration(outbound.client, cache, settings, outbound.lifecycle, clock, log.log);
  });

  afterEach(async () => {
    outbound.lifecycle.beginDrain();
    await outbound.close();
    await registry.stop();
  });

  it('is made with name, id, url and version after the first read', async () => {
    expect(registration.registered).toBe(false);
    registration.listRead([]);
    await until(() => registration.registered);
    expect([calls(), bodies()]).toEqual([['POST /register'], [{ name: 'orchestrator', id: 2, url: OURS, version: VERSION }]]);
  });

  it('is made although the list could not be read', async () => {
    registration.listNotRead();
    await until(() => registration.registered);
  });

  it('is updated where the name exists already, under whatever id', async () => {
    registry.list = [entry(77, 'orchestrator', 'http://old')];
    registration.listRead([knownDroplet('orchestrator', { id: 77 })]);
    await until(() => registration.registered);
    expect(calls()).toEqual(['POST /register', 'GET /droplets/name/orchestrator', 'PATCH /droplets/77']);
    expect(registry.list).toEqual([{ ...entry(77, 'orchestrator', OURS), metadata: { version: VERSION } }]);
  });

  it('is made without an id when the last list has ours under another name', async () => {
    cache.accept([knownDroplet('other', { id: 2 })]);
    registration.listRead([]);
    await until(() => registration.registered);
    expect(bodies()).toEqual([{ name: 'orchestrator', url: OURS, version: VERSION }]);
  });

  it('is left alone while the reads show us, in any case', async () => {
    registration.listRead([]);
    await until(() => registration.registered);
    registration.listRead([knownDroplet('Orchestrator')]);
    registration.listNotRead();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(calls()).toEqual(['POST /register']);
  });

  it('is made again when a read no longer shows us', async () => {
    registration.listRead([]);
    await until(() => registration.registered);
    registry.list = [];
    registration.listRead([]);
    expect(registration.registered).toBe(false);
    await until(() => registration.registered);
    expect(registry.list.map(({ name }) => name)).toEqual(['orchestrator']);
  });

  it('is tried again with growing waits, at most a minute, until it works', async () => {
    registry.mode = (_seen, response) => (reply(response, 500), true);
    registration.listRead([]);
    const delays: number[] = [];
    for (let tries = 1; tries <= 8; tries++) {
      await until(() => log.lines.length === tries);
      await until(() => clock.waits.at(-1) !== 5000);
      const delay = clock.waits.at(-1)!;
      delays.push(delay);
      if (tries === 8) registry.mode = null;
      clock.advance(delay);
    }
    await until(() => registration.registered);
    // Half of 1, 2, 4 … 60 seconds: the jitter is full, and chance stands at one half.
    expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    expect(log.lines.filter(({ msg }) => msg === 'not registered')).toHaveLength(8);
  });

  it('is asked for once at a time, however many reads do not show us', async () => {
    registry.mode = () => true;
    for (let reads = 0; reads < 20; reads++) registration.listRead([]);
    await until(() => calls().length > 0);
    expect(calls()).toEqual(['POST /register']);
  });

  it.each([
    ['no JSON', '<html>'],
    ['no droplet', '{"droplet":null}'],
    ['no id', '{"droplet":{"name":"orchestrator"}}'],
  ])('is tried again when the Registry names %s for the entry of our name', async (_what, text) => {
    registry.list = [entry(77, 'orchestrator', 'http://old')];
    registry.mode = ({ url }, response) => url.startsWith('/droplets/name/') && (reply(response, 200, text), true);
    registration.listRead([]);
    await until(() => log.lines.some(({ msg }) => msg === 'not registered'));
    registry.mode = null;
    clock.advance(60_000);
    await until(() => registration.registered);
  });

  it('is not tried any more once we are leaving', async () => {
    outbound.lifecycle.beginDrain();
    registration.listRead([]);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(calls()).toEqual([]);
  });
});
