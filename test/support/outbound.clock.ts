import { Clock } from '../../src/common/clock.js';

interface Timer {
  readonly at: number;
  readonly action: () => void;
}

/** Time that stands still until a test moves it; waits are kept, and skipped unless `holdsWaits`. */
export class FakeClock extends Clock {
  /** Every wait that was asked for, ms. */
  readonly waits: number[] = [];
  /** What `random` gives. */
  chance = 1;
  /** True to let a wait last until `advance`. */
  holdsWaits = false;
  private time = 0;
  private readonly timers = new Set<Timer>();

  now(): number {
    return Date.UTC(2025, 10, 30) + this.time;
  }

  monotonic(): number {
    return this.time;
  }

  random(): number {
    return this.chance;
  }

  get timerCount(): number {
    return this.timers.size;
  }

  after(ms: number, action: () => void): () => void {
    const timer = { at: this.time + ms, action };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  }

  override sleep(ms: number, ...signals: readonly AbortSignal[]): Promise<boolean> {
    this.waits.push(ms);
    const whole = super.sleep(ms, ...signals);
    if (!this.holdsWaits) this.advance(ms);
    return whole;
  }

  advance(ms: number): void {
    this.time += ms;
    for (const timer of [...this.timers].filter(({ at }) => at <= this.time)) {
      this.timers.delete(timer);
      timer.action();
    }
  }
}
