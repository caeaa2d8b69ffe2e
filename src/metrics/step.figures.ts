import { twoDecimals } from '../common/time.js';
import { DurationHistogram } from './duration.histogram.js';
import type { FinishedTask } from './figures.js';

/** What became of the tasks that came to their end within a step. */
export interface StepOutcomes {
  readonly success: number;
  readonly error: number;
  readonly timeout: number;
  readonly cancelled: number;
  /** Failed attempts of all of them. */
  readonly retries: number;
  /** Of the tasks that were not cancelled; null for none. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

/** Counts the tasks that come to their end, until it is taken; a task costs it a few additions and no memory. */
export class StepFigures {
  private readonly durations = new DurationHistogram();
  private success = 0;
  private error = 0;
  private timeout = 0;
  private cancelled = 0;
  private retries = 0;

  add({ status, durationMs, retryCount }: FinishedTask): void {
    this.retries += retryCount;
    if (status !== 'cancelled') this.durations.add(durationMs);
    if (status === 'success') this.success++;
    else if (status === 'timeout') this.timeout++;
    else if (status === 'cancelled') this.cancelled++;
    else this.error++;
  }

  get outcomes(): StepOutcomes {
    const { success, error, timeout, cancelled, retries } = this;
    const [p50Ms, p95Ms, p99Ms] = [this.percentile(50), this.percentile(95), this.percentile(99)];
    return { success, error, timeout, cancelled, retries, p50Ms, p95Ms, p99Ms };
  }

  /** What was counted; the count begins anew. */
  take(): StepOutcomes {
    const { outcomes } = this;
    this.durations.clear();
    this.success = this.error = this.timeout = this.cancelled = this.retries = 0;
    return outcomes;
  }

  private percentile(percent: number): number | null {
    const ms = this.durations.percentile(percent);
    return ms === null ? null : twoDecimals(ms);
  }
}
