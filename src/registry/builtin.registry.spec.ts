import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import path from 'node:path';
import { until } from '../../test/support/http.client.js';
import { ManualClock } from '../../test/support/manual.clock.js';
import { openDropletStore, settingsOf, temporaryFolder } from '../../test/support/registry.parts.js';
import { ConflictError, DropletNotFoundError, InvalidRequestError } from '../common/errors.js';
import { BuiltinRegistry } from './builtin.registry.js';
import type { DropletStore } from './droplet.store.js';
import { DropletChange, HeartbeatReport, NewDroplet } from './registration.dto.js';

const droplet = (name: string, more: Partial<NewDroplet> = {}): NewDroplet =>
  Object.assign(new NewDroplet(), { name, endpoint: `http://${name}:9000`, ...more });
const change = (fields: Partial<DropletChange>): DropletChange => Object.assign(new DropletChange(), fields);
const report = (fields: Partial<HeartbeatReport> = {}): HeartbeatReport => Object.assign(new HeartbeatReport(), fields);

describe('the built-in Registry', () => {
  const folder = temporaryFolder();
  let lives = 0;
  let clock: ManualClock;
  let close: () => void;
  let store: DropletStore;
  let registry: BuiltinRegistry;
  let environment: Record<string, string>;

  /** A life of the process on the same file. */
  async function start(more: Record<string, string> = {}): Promise<void> {
    const settings = settingsOf({ ...environment, ...more });
    const opened = openDropletStore(settings, clock);
    ({ close, store } = opened);
    registry = new BuiltinRegistry(store, settings, clock);
    await registry.onModuleInit();
  }

  async function restart(more: Record<string, string> = {}): Promise<void> {
    close();
    await start(more);
  }

  const names = (): string[] => registry.droplets.names;
  const present = (name: string) => registry.present(registry.droplets.find(name)!);

  beforeEach(async () => {
    clock = new ManualClock();
    environment = { DATABASE_URL: path.join(folder.home, `${++lives}.db`), PUBLIC_URL: 'http://us:8001' };
    await start();
  });

  afterEach(() => close());
  afterAll(() => folder.remove());

  it('lists the orchestrator itself, once, through every restart', async () => {
    await restart({ PUBLIC_URL: 'http://moved:8001' });
    expect(registry.droplets.droplets).toMatchObject([
      { id: 2, name: 'orchestrator', endpoint: 'http://moved:8001', status: 'active', registered_at: '2026-01-01T00:00:00.000Z' },
    ]);
  });

  it('gives the orchestrator another id when its own is held', async () => {
    await registry.add(droplet('echo', { id: 9 }));
    await restart({ SERVICE_NAME: 'second', DROPLET_ID: '9' });
    expect(registry.droplets.find('second')?.id).toBe(3);
    expect(registry.droplets.find('echo')?.id).toBe(9);
  });

  it('keeps nothing of its own when a real Registry is named', async () => {
    await restart({ REGISTRY_URL: 'http://registry:8000' });
    expect(names()).toEqual([]);
  });

  it('keeps droplets, changes, heartbeats and removals through a restart', async () => {
    await registry.add(droplet('echo', { id: 10, metadata: { a: 1 } }));
    await registry.add(droplet('gone'));
    await registry.change('echo', change({ status: 'error', version: '2' }));
    await registry.heartbeat('echo', report({ status: 'active' }));
    await registry.remove('gone');
    const before = registry.droplets.find('echo');
    await restart();
    expect([names(), registry.droplets.find('echo')]).toEqual([['orchestrator', 'echo'], before]);
    clock.advance(90_001);
    expect(present('echo').status).toBe('inactive');
  });

  it('takes url for endpoint, drops its trailing slash and fills the rest', async () => {
    const added = await registry.add(droplet('echo', { endpoint: null, url: 'http://echo:9000/', version: '1.2' }));
    expect(added).toEqual({
      ...{ id: 3, name: 'echo', endpoint: 'http://echo:9000', version: '1.2', metadata: { version: '1.2' }, steward: null },
      ...{ status: 'active', proof: null, cost_usd: 0, yield_usd: 0, heartbeat: null },
      ...{ registered_at: '2026-01-01T00:00:00.000Z', updated_at: '2026-01-01T00:00:00.000Z' },
    });
  });

  it('refuses a droplet without a place', async () => {
    await expect(registry.add(droplet('echo', { endpoint: null }))).rejects.toThrow(InvalidRequestError);
  });

  it('gives each droplet an id that no other one has, also after the largest there is', async () => {
    await registry.add(droplet('largest', { id: Number.MAX_SAFE_INTEGER }));
    const ids = [];
    for (const name of ['a', 'b', 'c']) ids.push((await registry.add(droplet(name))).id);
    expect([ids, names().length]).toEqual([[3, 4, 5], 5]);
  });

  it('refuses a name that is taken, and an id that another name holds', async () => {
    await registry.add(droplet('echo', { id: 10 }));
    await expect(registry.add(droplet('echo', { id: 11 }))).rejects.toThrow("Droplet with name 'echo' already exists");
    await expect(registry.add(droplet('other', { id: 10 }))).rejects.toThrow("The id 10 is held by 'echo'");
    expect(names()).toEqual(['orchestrator', 'echo']);
  });

  it('lets one of a hundred concurrent registrations of a name through', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, () => registry.add(droplet('echo'))));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(names()).toEqual(['orchestrator', 'echo']);
  });

  it('gives a hundred concurrent droplets a hundred ids', async () => {
    await Promise.all(Array.from({ length: 100 }, (_, n) => registry.add(droplet(`d${n}`))));
    expect(new Set(registry.droplets.droplets.map(({ id }) => id)).size).toBe(101);
  });

  it('changes only what is named', async () => {
    await registry.add(droplet('echo', { id: 10, metadata: { region: 'eu' }, steward: 'Ana', cost_usd: 2 }));
    clock.advance(1000);
    const changed = await registry.change('10', change({ url: 'http://new:1/' }));
    expect(changed).toMatchObject({ id: 10, name: 'echo', endpoint: 'http://new:1', metadata: { region: 'eu' }, steward: 'Ana' });
    expect([changed.cost_usd, changed.updated_at]).toEqual([2, '2026-01-01T00:00:01.000Z']);
    expect(Object.keys(changed)).not.toContain('url');
  });

  it('keeps a version that was changed when something else changes later', async () => {
    await registry.add(droplet('echo', { metadata: { version: '1' } }));
    await registry.change('echo', change({ version: '2' }));
    expect((await registry.change('echo', change({ status: 'error' }))).version).toBe('2');
    expect((await registry.change('echo', change({ metadata: { version: '3' } }))).version).toBe('3');
  });

  it('renames a droplet, but not onto a name that is taken', async () => {
    await registry.add(droplet('echo'));
    await registry.add(droplet('auth'));
    await expect(registry.change('echo', change({ name: 'auth' }))).rejects.toThrow(ConflictError);
    await registry.change('echo', change({ name: 'Echo' }));
    expect(names()).toEqual(['orchestrator', 'Echo', 'auth']);
  });

  it('neither renames nor removes the orchestrator', async () => {
    await expect(registry.change('orchestrator', change({ name: 'x' }))).rejects.toThrow(ConflictError);
    await expect(registry.remove('2')).rejects.toThrow(ConflictError);
    expect(names()).toEqual(['orchestrator']);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['change', () => registry.change('nobody', change({ status: 'error' }))],
    ['remove', () => registry.remove('nobody')],
    ['take a heartbeat of', () => registry.heartbeat('nobody', report())],
  ])('cannot %s a droplet that is not there', async (_what, act) => {
    await expect(act()).rejects.toThrow(DropletNotFoundError);
  });

  it('finds what another process has registered after a look had begun', async () => {
    const begun: (() => void)[] = [];
    const all = store.all.bind(store);
    store.all = async () => {
      const entries = await all();
      await new Promise<void>((resolve) => begun.push(resolve));
      return entries;
    };
    const early = registry.refresh();
    await until(() => begun.length === 1);
    await store.put({ ...present('orchestrator'), id: 3, name: 'late' }, null);
    const late = registry.refresh().then(() => names());
    begun.shift()?.();
    await early;
    await until(() => begun.length === 1);
    begun.shift()?.();
    expect(await late).toEqual(['orchestrator', 'late']);
  });

  it('goes on after a write was refused', async () => {
    await expect(registry.remove('nobody')).rejects.toThrow();
    expect((await registry.add(droplet('echo'))).name).toBe('echo');
  });

  it('calls a droplet inactive after 90 s without a heartbeat, and active again after the next', async () => {
    await registry.add(droplet('echo'));
    await registry.heartbeat('echo', report({ metrics: { load: 0.5 } }));
    clock.advance(90_000);
    expect(present('echo').status).toBe('active');
    clock.advance(1);
    expect(present('echo').status).toBe('inactive');
    await registry.heartbeat('echo', report());
    expect(present('echo').status).toBe('active');
  });

  it('keeps the status that a heartbeat told', async () => {
    await registry.add(droplet('echo'));
    await registry.heartbeat('echo', report({ status: 'error' }));
    expect(present('echo').status).toBe('error');
  });

  it('never calls a droplet inactive that sends no heartbeats', async () => {
    await registry.add(droplet('echo'));
    clock.advance(1e9);
    expect(present('echo').status).toBe('active');
  });
});
