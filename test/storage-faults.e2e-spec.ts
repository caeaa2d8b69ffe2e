import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SqliteStorage } from '../src/storage/sqlite/sqlite.storage.js';
import { STORAGE } from '../src/storage/storage.module.js';

import { until } from './support/http.client.js';
import { TestMesh } from './support/mesh.js';
import { reply } from './support/server.js';
import type { TestOrchestrator } from './support/orchestrator.js';

describe('a store that cannot be written', () => {
  let mesh: TestMesh;
  let orchestrator: TestOrchestrator;

  beforeEach(async () => {
    mesh = await TestMesh.start();
    ({ orchestrator } = mesh);
    const answer = mesh.droplet.handler;
    mesh.droplet.handler = (seen, response) =>
      seen.url === big ? reply(response, 200, JSON.stringify('x'.repeat(8000))) : answer(seen, response);
    await orchestrator.task({ droplet_name: 'echo', path: '/health' });
  });

  afterEach(() => mesh.stop());

  const exec = (sql: string): void => orchestrator.app.get<SqliteStorage>(STORAGE).database.exec(sql);
  const run = (path = '/health') => orchestrator.task({ droplet_name: 'echo', path });
  const fillDisk = (): void => {
    const { database } = orchestrator.app.get<SqliteStorage>(STORAGE);
    const pages = Number(database.prepare('PRAGMA page_count').get()?.page_count);
    exec(`PRAGMA max_page_count = ${pages}`);
  };

  /** The big answer needs pages of its own: that is where a full disk shows. */
  const big = '/big';

  const FAULTS: [string, () => void, () => void][] = [
    ['read-only', () => exec('PRAGMA query_only = 1'), () => exec('PRAGMA query_only = 0')],
    ['full', fillDisk, () => exec('PRAGMA max_page_count = 1000000')],
  ];

  it.each(FAULTS)(
    '%s: the first task tells its outcome, the next is refused uncalled, and all recovers by itself',
    async (_title, fail, mend) => {
      fail();
      const first = await run(big);
      expect(first.status).toBe(200);
      expect(first.json).toMatchObject({ status: 'success', response_status: 200, recorded: false });
      expect((await orchestrator.get(`/tasks/${first.json.task_id}`)).status).toBe(404);

      const calls = mesh.droplet.hits();
      const start = performance.now();
      const second = await run();
      expect(performance.now() - start).toBeLessThan(2000);
      expect([second.status, second.json.error.code]).toEqual([503, 'STORAGE_UNAVAILABLE']);
      expect(Number(second.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(second.json.detail.error).toEqual(second.json.error);
      expect(mesh.droplet.hits()).toBe(calls);

      mend();
      const after = await until(async () => {
        const { status, json } = await run();
        return status === 200 ? json : null;
      });
      expect(after.recorded).toBe(true);
      expect((await orchestrator.get(`/tasks/${after.task_id}`)).json.status).toBe('success');
    },
  );

  it('stays refused for as long as the disk is full, and not now and then', async () => {
    fillDisk();
    await run(big);
    const calls = mesh.droplet.hits();
    const end = performance.now() + 1300;
    while (performance.now() < end) {
      expect((await run(big)).status).toBe(503);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    expect(mesh.droplet.hits()).toBe(calls);
  });

  it('shows in health and readiness, and goes from there by itself', async () => {
    exec('PRAGMA query_only = 1');
    await run();
    const health = await orchestrator.get('/orchestrator/health');
    expect([health.status, health.json.status, health.json.dependencies.storage]).toEqual([
      200,
      'error',
      { status: 'unhealthy' },
    ]);
    const ready = await orchestrator.get('/orchestrator/health/ready');
    expect([ready.status, ready.json.error.code]).toEqual([503, 'NOT_READY']);
    expect(ready.json.error.details).toEqual({ storage: { status: 'down', message: 'The store cannot be written' } });
    expect((await orchestrator.get('/orchestrator/state')).json.state).toBe('error');
    for (const probe of ['live', 'startup']) expect((await orchestrator.get(`/orchestrator/health/${probe}`)).status).toBe(200);

    exec('PRAGMA query_only = 0');
    await until(async () => (await orchestrator.get('/orchestrator/health/ready')).status === 200);
    const again = (await orchestrator.get('/orchestrator/health')).json;
    expect([again.status, again.dependencies.storage.status]).toEqual(['active', 'healthy']);
  });

  it('still shows what it holds', async () => {
    exec('PRAGMA query_only = 1');
    await run();
    const { json } = await orchestrator.get('/tasks');
    expect([json.total, json.tasks.length]).toEqual([1, 1]);
    expect((await orchestrator.get(`/tasks/${json.tasks[0].id}`)).status).toBe(200);
    expect((await orchestrator.get('/metrics')).json.tasks.total).toBe(1);
  });

  it('does not count what was not recorded or was refused', async () => {
    exec('PRAGMA query_only = 1');
    await run();
    await run();
    exec('PRAGMA query_only = 0');
    await until(async () => (await run()).status === 200);
    const { json } = await orchestrator.get('/metrics');
    expect([json.tasks.total, (await orchestrator.get('/tasks')).json.total]).toEqual([2, 2]);
  });

  it('tells every one of many tasks at once what became of it', async () => {
    exec('PRAGMA query_only = 1');
    const answers = await Promise.all(Array.from({ length: 20 }, () => run()));
    for (const { status, json } of answers) {
      if (status === 200) expect(json.recorded).toBe(false);
      else expect([status, json.error.code]).toEqual([503, 'STORAGE_UNAVAILABLE']);
    }
  });
});
