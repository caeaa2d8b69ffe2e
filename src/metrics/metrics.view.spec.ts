import { describe, expect, it } from '@jest/globals';
import type { RegistryFigures, TaskTotals } from './figures.js';
import { Metrics } from './metrics.js';
import { metricsView } from './metrics.view.js';

const NONE: TaskTotals = { success: 0, error: 0, timeout: 0, retries: 0, retriedToSuccess: 0, retriedToFailure: 0 };
const REGISTRY: RegistryFigures = { cacheAgeSeconds: 1.23456, cacheStatus: 'active', known: 5, reachable: 4 };
const IDENTITY = { service: 'orchestrator', version: '1.1.0', uptimeSeconds: 12.3456 };

function metrics(totals: Partial<TaskTotals> = {}, registry: Partial<RegistryFigures> = {}): Metrics {
  const made = new Metrics();
  made.provide({ totals: () => Promise.resolve({ ...NONE, ...totals }), registry: () => ({ ...REGISTRY, ...registry }) });
  made.provide({ traffic: () => [], eventReaders: () => 0, isStoreWritable: () => true });
  made.provide({ queue: () => ({ waiting: 0, running: 0, oldestDueMs: 0 }), queued: () => 0 });
  return made;
}

const view = (of: Metrics) => metricsView(of, IDENTITY);

describe('metricsView', () => {
  it('starts at zero (seed: metrics_start_at_zero)', async () => {
    expect(await view(metrics())).toEqual({
      ...{ service: 'orchestrator', version: '1.1.0', uptime_seconds: 12.35 },
      tasks: {
        ...{ total: 0, success: 0, error: 0, timeout: 0, success_rate_percent: 0 },
        ...{ avg_response_time_ms: 0, p95_response_time_ms: 0, p99_response_time_ms: 0 },
      },
      retry: { total_retries: 0, retry_success_count: 0, retry_final_fail_count: 0 },
      registry: {
        ...{ syncs_total: 0, syncs_success: 0, syncs_error: 0, last_sync: null, last_sync_duration_ms: 0 },
        ...{ cache_age_seconds: 1.23, cache_status: 'active' },
      },
      ...{ droplets_known: 5, droplets_reachable: 4 },
    });
  });

  it.each([
    ['66.67 for two of three (seed: success_rate_calculation)', { success: 2, error: 1 }, 66.67],
    ['100 for all', { success: 7 }, 100],
    ['0 for none of some', { error: 1, timeout: 2 }, 0],
    ['33.33 with a timeout', { success: 1, error: 1, timeout: 1 }, 33.33],
  ])('gives a success rate of %s', async (_title, totals, rate) => {
    const { tasks } = await view(metrics(totals));
    expect(tasks.success_rate_percent).toBe(rate);
    expect(tasks.total).toBe(tasks.success + tasks.error + tasks.timeout);
  });

  it('takes tasks and retries from the store', async () => {
    const totals = { success: 2, error: 3, timeout: 4, retries: 9, retriedToSuccess: 1, retriedToFailure: 5 };
    const { tasks, retry } = await view(metrics(totals));
    expect(tasks).toMatchObject({ total: 9, success: 2, error: 3, timeout: 4 });
    expect(retry).toEqual({ total_retries: 9, retry_success_count: 1, retry_final_fail_count: 5 });
  });

  it('gives times to two decimals (seed: avg_response_time_calculation, metrics_response_percentiles)', async () => {
    const of = metrics();
    for (const durationMs of [100, 200, 150]) of.taskFinished({ droplet: 'd', status: 'success', durationMs, retryCount: 0 });
    expect((await view(of)).tasks).toMatchObject({
      avg_response_time_ms: 150,
      p95_response_time_ms: 200,
      p99_response_time_ms: 200,
    });
    of.taskFinished({ droplet: 'd', status: 'success', durationMs: 101, retryCount: 0 });
    of.taskFinished({ droplet: 'd', status: 'success', durationMs: 100, retryCount: 0 });
    of.taskFinished({ droplet: 'd', status: 'success', durationMs: 100, retryCount: 0 });
    expect((await view(of)).tasks.avg_response_time_ms).toBe(125.17);
  });

  it('counts good and bad reads of the Registry (seed: record_registry_sync_success, record_registry_sync_error)', async () => {
    const of = metrics();
    of.registrySynced(1_767_225_600_250, 50.4, 0);
    of.registrySyncFailed(7.6);
    expect((await view(of)).registry).toMatchObject({
      ...{ syncs_total: 2, syncs_success: 1, syncs_error: 1, last_sync: 1_767_225_600.25, last_sync_duration_ms: 8 },
    });
  });

  it('asks for age and status anew each time', async () => {
    let cacheAgeSeconds = 1;
    const of = metrics();
    of.provide({ registry: () => ({ ...REGISTRY, cacheAgeSeconds: cacheAgeSeconds++ }) });
    expect([(await view(of)).registry.cache_age_seconds, (await view(of)).registry.cache_age_seconds]).toEqual([1, 2]);
  });
});

describe('Metrics', () => {
  it('says so when nobody has handed in the figures', async () => {
    await expect(view(new Metrics())).rejects.toThrow('have not handed them in');
    await expect(new Metrics().prometheus()).rejects.toThrow('have not handed them in');
  });

  it('names every figure in the Prometheus text', async () => {
    const of = metrics();
    of.taskFinished({ droplet: 'Echo', status: 'success', durationMs: 30, retryCount: 2 });
    of.attemptMade('Echo', 'answered', 10);
    of.registrySynced(0, 1, 3);
    of.registrySyncFailed(1);
    of.requestAnswered('GET', '/tasks/:id', 200);
    of.requestFailed('POST', '/tasks', 'DROPLET_NOT_FOUND');
    const { text, contentType } = await of.prometheus();
    expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/);
    for (const line of [
      'orchestrator_tasks_total{droplet="Echo",status="success"} 1',
      'orchestrator_task_failed_attempts_total{droplet="Echo"} 2',
      'orchestrator_task_duration_seconds_bucket{le="0.025",droplet="Echo"} 0',
      'orchestrator_task_duration_seconds_bucket{le="0.05",droplet="Echo"} 1',
      'orchestrator_task_duration_seconds_sum{droplet="Echo"} 0.03',
      'orchestrator_attempts_total{droplet="Echo",outcome="answered"} 1',
      'orchestrator_attempt_duration_seconds_count{droplet="Echo"} 1',
      'orchestrator_registry_syncs_total{result="success"} 1',
      'orchestrator_registry_syncs_total{result="error"} 1',
      'orchestrator_registry_rejected_entries_total 3',
      'orchestrator_http_requests_total{method="GET",route="/tasks/:id",status="200"} 1',
      'orchestrator_http_errors_total{method="POST",route="/tasks",code="DROPLET_NOT_FOUND"} 1',
      'orchestrator_droplets_known 5',
      'orchestrator_droplets_reachable 4',
      'orchestrator_registry_cache_age_seconds 1.23456',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
  });
});
