import { SlidingWindow } from '../metrics/sliding.window.js';
import type { CallResult } from './circuit.breaker.js';
import type { DropletHealth } from './droplet.health.js';

const BUCKET_MS = 1000;
const WINDOW_BUCKETS = 60;
/** Durations that the 95th percentile rests on. */
const KEPT_DURATIONS = 200;
/** Below this share of good calls a droplet counts as degraded. */
const GOOD_PERCENT = 95;

/** What came of the calls to one droplet: of those of the last minute, and the last times. */
export class CallFigures {
  private readonly calls: SlidingWindow;
  private readonly failures: SlidingWindow;
  private durations: number[] = [];

  /** @param now monotonic milliseconds */
  constructor(now: () => number) {
    const window = (): SlidingWindow => new SlidingWindow(BUCKET_MS, WINDOW_BUCKETS, now);
    [this.calls, this.failures] = [window(), window()];
  }

  /** Of the last minute. */
  get count(): number {
    return this.calls.total();
  }

  get goodPercent(): number | null {
    const calls = this.calls.total();
    return calls === 0 ? null : Math.round((1 - this.failures.total() / calls) * 10_000) / 100;
  }

  get p95(): number | null {
    const sorted = this.durations.toSorted((a, b) => a - b);
    return sorted.length === 0 ? null : Math.round(sorted[Math.floor(sorted.length * 0.95)] ?? 0);
  }

  /** How the droplet does, by its calls alone. */
  get state(): DropletHealth['state'] {
    const good = this.goodPercent;
    if (good === null) return 'unknown';
    if (good === 0) return 'down';
    return good < GOOD_PERCENT ? 'degraded' : 'up';
  }

  record(result: CallResult, durationMs: number): void {
    if (result === 'neutral') return;
    this.calls.add();
    if (result === 'failure') this.failures.add();
    if (this.durations.length >= KEPT_DURATIONS) this.durations = this.durations.slice(KEPT_DURATIONS / 2);
    this.durations.push(durationMs);
  }
}
