import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { startDroplet } from './support/droplet.js';
import { until } from './support/http.client.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { entry, TestRegistry } from './support/registry.js';
import type { TestServer } from './support/server.js';

/** The calls that clients of v1.1.0 make, with the fields that they read: none of them may notice the change. */
describe('a client of v1.1.0', () => {
  let droplet: TestServer;
  let registry: TestRegistry;
  let orchestrator: TestOrchestrator;
  const client = () => request(orchestrator.url);

  beforeAll(async () => {
    droplet = await startDroplet();
    registry = await TestRegistry.start([entry(3, 'echo', droplet.url)]);
    orchestrator = await TestOrchestrator.start({ REGISTRY_URL: registry.url });
    await until(async () => (await client().get('/orchestrator/info')).body.registered === true);
  });

  afterAll(async () => {
    await orchestrator.stop();
    await registry.stop();
    await droplet.stop();
  });

  it('finds the service healthy, with its dependencies', async () => {
    const { body } = await client().get('/orchestrator/health').expect(200).expect('content-type', /json/);
    expect(body).toMatchObject({ status: 'active', service: 'orchestrator', version: '1.1.0' });
    expect(body.dependencies).toMatchObject({ registry: { status: 'healthy' }, cache: { status: 'active' } });
  });

  it('reads who the service is', async () => {
    const { body } = await client().get('/orchestrator/info').expect(200);
    expect(body).toMatchObject({ id: 2, name: 'orchestrator', version: '1.1.0', cache_status: 'active' });
  });

  it('submits a task, reads its outcome, and finds it again by id and in the list', async () => {
    const task = { droplet_name: 'echo', method: 'POST', path: '/echo', payload: { a: 1 }, meta: { requested_by: 'v1' } };
    const { body } = await client().post('/orchestrator/tasks').send(task).expect(200);
    expect(body).toMatchObject({ status: 'success', response_status: 200, retry_count: 0, target_url: `${droplet.url}/echo` });
    const record = await client().get(`/orchestrator/tasks/${body.task_id}`).expect(200);
    expect(record.body).toMatchObject({ id: body.task_id, droplet_name: 'echo', error_message: null, meta: task.meta });
    const list = await client()
      .get('/orchestrator/tasks')
      .query({ status: 'success', droplet_name: 'echo', limit: 5 })
      .expect(200);
    expect(list.body.tasks.map(({ id }: { id: string }) => id)).toContain(body.task_id);
  });

  it('finds the code of an error under detail', async () => {
    const unknown = await client().post('/orchestrator/tasks').send({ droplet_name: 'nobody', path: '/x' }).expect(400);
    expect(unknown.body.detail.error.code).toBe('DROPLET_NOT_FOUND');
    const missing = await client().get('/orchestrator/tasks/nonexistent-id').expect(404);
    expect(missing.body.detail.error.code).toBe('TASK_NOT_FOUND');
  });

  it('reads the droplets and the figures', async () => {
    const droplets = await client().get('/orchestrator/droplets').expect(200);
    expect(droplets.body).toMatchObject({ cache_status: 'active', total: droplets.body.droplets.length });
    const { body } = await client().get('/orchestrator/metrics').set('accept', 'application/json').expect(200);
    expect(body.tasks).toMatchObject({ success: expect.any(Number), error: expect.any(Number), timeout: expect.any(Number) });
    expect(body.droplets_known).toBe(droplets.body.total);
  });
});
