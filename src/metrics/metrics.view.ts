import { epochSeconds, twoDecimals } from '../common/time.js';
import type { SyncFigures, TaskTotals } from './figures.js';
import type { Metrics } from './metrics.js';
import type { Durations } from './durations.js';

/** What names the process in its figures. */
export interface ServiceIdentity {
  readonly service: string;
  readonly version: string;
  readonly uptimeSeconds: number;
}

/** The JSON of `GET /metrics`; contract §4. */
export async function metricsView(metrics: Metrics, { service, version, uptimeSeconds }: ServiceIdentity) {
  const totals = await metrics.sources.totals();
  const registry = metrics.sources.registry();
  return {
    service,
    version,
    uptime_seconds: twoDecimals(uptimeSeconds),
    tasks: tasksView(totals, metrics.durations),
    retry: {
      total_retries: totals.retries,
      retry_success_count: totals.retriedToSuccess,
      retry_final_fail_count: totals.retriedToFailure,
    },
    registry: {
      ...syncView(metrics.syncs),
      cache_age_seconds: twoDecimals(registry.cacheAgeSeconds),
      cache_status: registry.cacheStatus,
    },
    droplets_known: registry.known,
    droplets_reachable: registry.reachable,
  };
}

function tasksView({ success, error, timeout }: TaskTotals, durations: Durations) {
  const total = success + error + timeout;
  const [p95 = 0, p99 = 0] = durations.percentiles(95, 99);
  return {
    total,
    success,
    error,
    timeout,
    success_rate_percent: total === 0 ? 0 : twoDecimals((success / total) * 100),
    avg_response_time_ms: twoDecimals(durations.average),
    p95_response_time_ms: twoDecimals(p95),
    p99_response_time_ms: twoDecimals(p99),
  };
}

function syncView({ total, success, error, lastSync, lastDurationMs }: SyncFigures) {
  return {
    syncs_total: total,
    syncs_success: success,
    syncs_error: error,
    last_sync: lastSync === null ? null : epochSeconds(lastSync),
    last_sync_duration_ms: Math.round(lastDurationMs),
  };
}
