import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { startDroplet } from './support/droplet.js';
import { until } from './support/http.client.js';
import { OrchestratorProcess, tempFolder } from './support/process.js';
import { entry, TestRegistry, type RegistryEntry } from './support/registry.js';
import { freePort, type TestServer } from './support/server.js';

const FILE = 'orchestrator_droplets.json';
const MANY = 2000;

describe('a process that is killed while it saves the droplet list', () => {
  const processes: OrchestratorProcess[] = [];
  let home: string;
  let droplet: TestServer;
  let registry: TestRegistry;
  let few: RegistryEntry[];
  let many: RegistryEntry[];

  const life = async (environment: Record<string, string>): Promise<OrchestratorProcess> => {
    const server = await OrchestratorProcess.spawn({ REGISTRY_SYNC_INTERVAL: '3600', ...environment }, home);
    processes.push(server);
    return server;
  };
  const saved = (): number => {
    const file = path.join(home, 'data', FILE);
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { droplets: unknown[] }).droplets.length : 0;
  };
  const list = async (server: OrchestratorProcess): Promise<any> => (await server.get('/orchestrator/droplets')).json;

  beforeEach(async () => {
    home = tempFolder();
    droplet = await startDroplet();
    few = ['one', 'two', 'orchestrator'].map((name, index) => entry(index + 10, name, droplet.url));
    many = [...few, ...Array.from({ length: MANY }, (_, index) => entry(index + 100, `d${index}`, droplet.url))];
    registry = await TestRegistry.start(few);
  });
  afterEach(async () => {
    for (const server of processes.splice(0)) await server.remove();
    await registry.stop();
    await droplet.stop();
  });

  it.each<[string, string, () => number]>([
    ['half of it is written', 'half', () => few.length],
    ['it is written, but not in its place', 'written', () => few.length],
    ['it has just come to its place', 'renamed', () => many.length],
  ])('when %s: the next life has the old list or the new one, whole', async (_when, point, expected) => {
    const first = await life({ REGISTRY_URL: registry.url });
    await until(() => saved() > 0, 15_000);
    expect(saved()).toBe(few.length);
    await first.process.kill();

    registry.list = many;
    const preload = path.join(import.meta.dirname, 'crash/cut.mjs');
    const trap = { NODE_OPTIONS: `--import ${preload}`, CUT_FILE: FILE, CUT_AT: point };
    const second = await life({ REGISTRY_URL: registry.url, ...trap });
    expect(await second.process.end()).toEqual({ code: null, signal: 'SIGKILL' });
    expect(second.lines).toContain(`died: ${point}`);

    const third = await life({ REGISTRY_URL: `http://127.0.0.1:${await freePort()}`, LOG_LEVEL: 'warn' });
    const { total, cache_status } = await until(() => list(third).catch(() => null), 15_000);
    expect([total, cache_status]).toEqual([expected(), 'active']);
    expect((await third.task({ droplet_name: 'two', path: '/health' })).json.status).toBe('success');
    expect((await third.get('/orchestrator/health/ready')).status).toBe(200);
    expect(third.lines.filter((line) => line.includes('cannot be used'))).toEqual([]);
  });
});
