import { epochSeconds, twoDecimals } from '../common/time.js';
import { STEP_MS, type History, type Sample } from './history.js';

/** The JSON of `GET /metrics/history`. @param since epoch seconds */
export const historyView = (history: History, since: number) => ({
  step_seconds: STEP_MS / 1000,
  samples: history.after(since * 1000).map(sampleView),
  current: sampleView(history.current),
});

function sampleView({ at, ms, p50Ms, p95Ms, p99Ms, inFlight, ...sample }: Sample) {
  const { success, error, timeout, cancelled, retries, queued, waiting } = sample;
  return {
    ...{ at: epochSeconds(at), seconds: twoDecimals(ms / 1000), success, error, timeout, cancelled, retries },
    ...{ p50_ms: p50Ms, p95_ms: p95Ms, p99_ms: p99Ms, queued, in_flight: inFlight, waiting },
  };
}
