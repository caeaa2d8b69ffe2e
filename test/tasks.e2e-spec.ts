import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startDroplet } from './support/droplet.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { entry, TestRegistry } from './support/registry.js';
import type { TestServer } from './support/server.js';

describe('synchronous tasks', () => {
  let droplet: TestServer;
  let registry: TestRegistry;
  let orchestrator: TestOrchestrator;

  beforeAll(async () => {
    droplet = await startDroplet();
    registry = await TestRegistry.start([entry(3, 'Echo', droplet.url)]);
    orchestrator = await TestOrchestrator.start({ REGISTRY_URL: registry.url });
  });

  afterAll(async () => {
    await orchestrator.stop();
    await registry.stop();
    await droplet.stop();
  });

  it('answers with the outcome and records it', async () => {
    const { status, json } = await orchestrator.task({ droplet_name: 'echo', path: '/health', meta: { by: 'test' } });
    expect([status, json.status, json.response_status, json.retry_count]).toEqual([200, 'success', 200, 0]);
    const record = await orchestrator.get(`/orchestrator/tasks/${json.task_id}`);
    expect(record.json).toMatchObject({ id: json.task_id, droplet_name: 'echo', meta: { by: 'test' }, attempts: 1 });
  });
});
