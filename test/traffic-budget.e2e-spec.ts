import { afterEach, describe, expect, it } from '@jest/globals';
import { reply } from './support/server.js';
import { ASYNC, TaskMesh } from './support/task.mesh.js';
import { until } from './support/http.client.js';

const CALLERS = 16;

let mesh: TaskMesh;

const start = async (settings: Record<string, string>): Promise<void> => {
  mesh = await TaskMesh.start({ RETRY_BACKOFF_BASE_MS: '1', RETRY_BACKOFF_MAX_MS: '1', ...settings });
  mesh.echo.handler = (_seen, response) => reply(response, 503, { busy: true });
};

afterEach(() => mesh.stop());

/** Callers that come again as soon as they are answered, for so long; resolves to what they got. */
async function storm(ms: number): Promise<any[]> {
  const end = performance.now() + ms;
  const got: any[] = [];
  const call = async (): Promise<void> => {
    while (performance.now() < end) got.push((await mesh.ask('/x')).json);
  };
  await Promise.all(Array.from({ length: CALLERS }, call));
  return got;
}

describe('the retry budget', () => {
  it('a droplet that answers 503 to everything gets at most 1.3 calls for each task, for over six seconds', async () => {
    // The least that is always allowed would be the larger part of the few calls that a busy machine makes.
    await start({ RETRY_BUDGET_MIN_PER_SECOND: '1' });
    const tasks = await storm(6500);
    expect(tasks.length).toBeGreaterThan(200);
    expect(mesh.echo.hits() / tasks.length).toBeLessThanOrEqual(1.3);
    expect(mesh.echo.hits() / tasks.length).toBeGreaterThan(1.1);
    expect(tasks.every(({ status, response_status }) => status === 'error' && response_status === 503)).toBe(true);
    const stopped = tasks.filter(({ error }) => error.details.stopped_by === 'budget');
    expect(stopped.length).toBeGreaterThan(tasks.length / 2);
    expect(stopped[0]).toMatchObject({ error: { code: 'DROPLET_ERROR', details: { effect: 'unknown', stopped_by: 'budget' } } });
    const { text } = await mesh.orchestrator.get('/metrics/prometheus');
    const refused = Number(/^orchestrator_retries_refused_total\{droplet="Echo"\} (\d+)$/m.exec(text)?.[1]);
    expect(refused).toBe(stopped.length);
  }, 30_000);

  it('is what bounds them: with a budget for all of them it gets three', async () => {
    await start({});
    const tasks = await storm(500);
    expect(mesh.echo.hits() / tasks.length).toBe(3);
    expect(tasks.every(({ error }) => error.details.stopped_by === 'attempts')).toBe(true);
  });

  it('of one droplet is not that of another', async () => {
    await start({ RETRY_BUDGET_MIN_PER_SECOND: '1' });
    await storm(500);
    mesh.other.handler = (_seen, response) => reply(response, mesh.other.hits() < 3 ? 503 : 200, {});
    const { json } = await mesh.orchestrator.task({ droplet_name: 'other', path: '/x' });
    expect(json).toMatchObject({ status: 'success', attempts: 3 });
  });

  it('asynchronous tasks do not give up when it is spent: they wait for it', async () => {
    await start({ RETRY_BUDGET_MIN_PER_SECOND: '1', RETRY_BUDGET_PERCENT: '1', ASYNC_BACKOFF_MAX_MS: '100' });
    await storm(300);
    const { json } = await mesh.ask('/later', {}, ASYNC);
    const waiting = await until(async () => {
      const record = await mesh.record(json.task_id);
      return record.attempts === 1 && record.status === 'queued' ? record : null;
    });
    expect(waiting).toMatchObject({ error: null, history: [{ response_status: 503 }] });
    expect(mesh.echo.hits('/later')).toBe(1);
  });
});
