import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { until } from './support/http.client.js';
import { reply } from './support/server.js';
import { ASYNC, Gate, TaskMesh } from './support/task.mesh.js';

const HOUR = 3_600_000;
const JUMPS: [string, number][] = [
  ['an hour ahead', HOUR],
  ['an hour back', -HOUR],
];
/** No duration of these tests comes near it; one that was taken from the wall clock would be an hour. */
const A_MINUTE = 60_000;

describe.each(JUMPS)('the wall clock jumps %s', (_where, jump) => {
  let mesh: TaskMesh;

  beforeEach(async () => {
    mesh = await TaskMesh.start();
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await mesh.stop();
  });

  /** What Linux does to a process when somebody sets the time: the wall clock moves, the monotonic one does not. */
  const leap = (): void => {
    const real = Date.now.bind(Date);
    jest.spyOn(Date, 'now').mockImplementation(() => real() + jump);
  };

  /** Nothing took less than no time, nor as long as the clock pretends. */
  function expectSaneTimes(record: any): void {
    const durations = [record.duration_ms, ...record.history.map((each: any) => each.duration_ms)];
    for (const ms of durations) expect([ms, ms >= 0 && ms < A_MINUTE]).toEqual([ms, true]);
  }

  it.each(['a synchronous task', 'an asynchronous task'])(
    'while %s is called: it ends well, with its true duration',
    async (kind) => {
      const gate = new Gate();
      mesh.echo.handler = gate.handler;
      const headers = kind === 'an asynchronous task' ? ASYNC : {};
      const answer = mesh.ask('/work', { timeout_ms: 30_000, attempt_timeout_ms: 30_000 }, headers);
      await until(() => gate.held.length === 1);
      leap();
      await new Promise((resolve) => setTimeout(resolve, 50));
      gate.open();
      const { json } = await answer;
      const record = await mesh.recordWhen(json.task_id);
      expect([record.status, record.attempts, record.error]).toEqual(['success', 1, null]);
      expectSaneTimes(record);
    },
  );

  it('while a synchronous task waits for its next attempt: it is made, and the deadline is not early', async () => {
    mesh.echo.handler = (_seen, response) => {
      if (mesh.echo.hits() === 1) leap();
      reply(response, mesh.echo.hits() < 3 ? 503 : 200, {});
    };
    const { json } = await mesh.ask('/work', { timeout_ms: 10_000 });
    expect([json.status, json.attempts, json.duration_ms < A_MINUTE]).toEqual(['success', 3, true]);
    expectSaneTimes(await mesh.record(json.task_id));
  });

  it('while an asynchronous task waits for its next attempt: it is made, and the deadline is not early', async () => {
    mesh.echo.handler = (_seen, response) => {
      if (mesh.echo.hits() === 1) leap();
      reply(response, mesh.echo.hits() < 3 ? 503 : 200, {});
    };
    const record = await mesh.recordWhen(await mesh.queue('/work', { timeout_ms: 20_000 }));
    expect([record.status, record.attempts]).toEqual(['success', 3]);
    expectSaneTimes(record);
  });

  it('while an asynchronous task waits to be due: it is not lost, and its time is what the clock says then', async () => {
    const run_at = new Date(Date.now() + HOUR / 2).toISOString();
    const { json } = await mesh.ask('/echo', { run_at, timeout_ms: 2 * HOUR });
    leap();
    await mesh.restart();
    const record = await mesh.recordWhen(json.task_id, jump > 0 ? ['success'] : ['queued']);
    expect([record.run_at, mesh.echo.hits()]).toEqual([run_at, jump > 0 ? 1 : 0]);
    expectSaneTimes({ ...record, duration_ms: record.duration_ms ?? 0 });
  });

  it('and all pages show ages and durations that are no less than nothing', async () => {
    await mesh.ask('/echo');
    leap();
    await mesh.ask('/echo');
    const { json: metrics } = await mesh.orchestrator.get('/orchestrator/metrics');
    const { json: state } = await mesh.orchestrator.get('/orchestrator/state');
    const { json: health } = await mesh.orchestrator.get('/orchestrator/health');
    const figures = [
      ...[metrics.uptime_seconds, metrics.tasks.avg_response_time_ms, metrics.tasks.p99_response_time_ms],
      ...[metrics.registry.cache_age_seconds, metrics.registry.last_sync_duration_ms],
      ...[state.uptime_seconds, state.cpu_percent, state.requests_per_minute, health.dependencies.cache.age_seconds],
    ];
    expect(figures.filter((figure) => !(figure >= 0 && figure < A_MINUTE))).toEqual([]);
    expect([health.status, health.dependencies.cache.status]).toEqual(['active', 'active']);
  });
});
