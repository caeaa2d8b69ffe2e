import { SlidingWindow } from '../metrics/sliding.window.js';

const BUCKET_MS = 500;
const WINDOW_MS = 10_000;

/** What a droplet's retries may come to. */
export interface BudgetPolicy {
  /** Of its first attempts. */
  readonly percent: number;
  /** Whatever there were of those. */
  readonly minPerSecond: number;
}

/**
 * Bounds the retries of one droplet by its first attempts of the last 10 s: when everything fails, it gets a fifth more
 * calls, not three times as many. A retry is charged when it is scheduled: a wave of them would all pass when it is sent.
 */
export class RetryBudget {
  private readonly firsts: SlidingWindow;
  private readonly retries: SlidingWindow;

  /** @param now a clock that never goes back, ms */
  constructor(
    private readonly policy: BudgetPolicy,
    now: () => number,
  ) {
    const window = (): SlidingWindow => new SlidingWindow(BUCKET_MS, WINDOW_MS / BUCKET_MS, now);
    [this.firsts, this.retries] = [window(), window()];
  }

  /** A first attempt is made. */
  first(): void {
    this.firsts.add();
  }

  /** Charges one retry; false when the budget is spent. */
  take(): boolean {
    if (this.retries.total() + 1 > this.allowed()) return false;
    this.retries.add();
    return true;
  }

  private allowed(): number {
    const { percent, minPerSecond } = this.policy;
    return (this.firsts.total() * percent) / 100 + (minPerSecond * WINDOW_MS) / 1000;
  }
}
