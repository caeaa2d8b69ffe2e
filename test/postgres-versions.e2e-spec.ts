import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { startDroplet } from './support/droplet.js';
import { EARLIER_SCHEMAS, fillEarlier, OLD_TASKS } from './support/earlier.postgres.js';
import { until } from './support/http.client.js';
import { TestOrchestrator } from './support/orchestrator.js';
import type { TestServer } from './support/server.js';
import { sharedPostgres } from './support/shared.postgres.js';

describe('a PostgreSQL database that an earlier version has left', () => {
  let droplet: TestServer;
  let server: TestOrchestrator;

  afterEach(async () => {
    await server.stop();
    await droplet.stop();
  });
  afterAll(async () => (await sharedPostgres()).stop());

  const record = async (id: string): Promise<any> => (await server.get(`/orchestrator/tasks/${id}`)).json;

  it.each(EARLIER_SCHEMAS)('$title: its tasks and droplets are there, what waits runs, and new ones do', async (schema) => {
    droplet = await startDroplet();
    const url = await (await sharedPostgres()).createDatabase();
    await fillEarlier(url, schema, droplet.url);
    server = await TestOrchestrator.start({ DATABASE_URL: url });
    const done = { status: 'error', response_status: 503, response_body: { v: 1 }, attempts: 3, meta: { a: 'b' } };
    expect(await record(OLD_TASKS.done)).toMatchObject(done);
    await until(async () => (await record(OLD_TASKS.queued)).completed_at !== null);
    expect(await record(OLD_TASKS.queued)).toMatchObject({ status: 'success', attempts: 1 });
    expect((await server.task({ droplet_name: 'echo', path: '/echo' })).json.status).toBe('success');
    expect((await server.get('/orchestrator/tasks')).json.total).toBe(3);
    expect((await server.get('/orchestrator/metrics')).json.tasks).toMatchObject({ success: 2, error: 1 });
    expect((await server.post('/orchestrator/droplets/echo/pause')).json.droplet.health.breaker).toBe('paused');
  });
});
