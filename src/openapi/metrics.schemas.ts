import { epoch, integer, list, nullable, number, object, oneOf, ref, string, type Schema } from './schema.js';

const count = (description: string): Schema => integer(description, { minimum: 0 });
const figure = (description: string): Schema => number(`${description}, to two decimals`, { minimum: 0 });

const tasks = object({
  total: count('Finished tasks ever, without the cancelled ones'),
  success: count('Of them successes'),
  error: count('Of them errors'),
  timeout: count('Of them timeouts'),
  success_rate_percent: figure('Their share'),
  avg_response_time_ms: figure('Of the last 10,000'),
  p95_response_time_ms: figure('Of the last 10,000'),
  p99_response_time_ms: figure('Of the last 10,000'),
});

const retry = object({
  total_retries: count('All failed attempts of finished tasks'),
  retry_success_count: count('Tasks that had failed attempts and came to a success'),
  retry_final_fail_count: count('Tasks that had failed attempts and failed'),
});

const registry = object({
  syncs_total: count('Reads of the Registry'),
  syncs_success: count('Of them good ones'),
  syncs_error: count('Of them failed ones'),
  last_sync: nullable(epoch('When the last good one was; null before it')),
  last_sync_duration_ms: count('How long it took'),
  cache_age_seconds: figure('The age of the list; 999999 when there never was one'),
  cache_status: oneOf(['active', 'stale', 'unavailable'], 'How fresh the list is'),
});

const percentile = (description: string): Schema => nullable(figure(`${description}; null for none, cancelled ones left out`));

const sample = object({
  at: epoch('Its end; of the step that is under way, now'),
  seconds: figure('How long it was'),
  success: count('Tasks that came to a success in it'),
  error: count('To an error'),
  timeout: count('To a timeout'),
  cancelled: count('That were cancelled'),
  retries: count('Failed attempts of all of them'),
  p50_ms: percentile('The median of their durations, to a few percent'),
  p95_ms: percentile('The 95th percentile'),
  p99_ms: percentile('The 99th percentile'),
  queued: count('Asynchronous tasks and callbacks that waited or ran at its end, in all processes'),
  in_flight: count('Calls under way at its end'),
  waiting: count('Calls that waited for a place at its end'),
});

export const METRICS_SCHEMAS: Readonly<Record<string, Schema>> = {
  Metrics: object({
    service: string('SERVICE_NAME'),
    version: string('Its version'),
    uptime_seconds: figure('Since the process started'),
    tasks,
    retry,
    registry,
    droplets_known: count('How many the list holds'),
    droplets_reachable: count('Of them those whose last call was answered, or that were not called yet'),
  }),
  MetricsHistory: object({
    step_seconds: count('How long a step is'),
    samples: list(ref('MetricsSample'), { maxItems: 240 }),
    current: ref('MetricsSample'),
  }),
  MetricsSample: sample,
};
