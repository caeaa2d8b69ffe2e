import { Clock } from '../../src/common/clock.js';

interface Timer {
  readonly at: number;
  readonly action: () => void;
}

/** Time that stands still until a test moves it; it keeps what it was asked to wait for. */
export class ManualClock extends Clock {
  /** Every timer that was asked for, ms. */
  readonly waits: number[] = [];
  private passed = 0;
  private readonly timers = new Set<Timer>();

  /** @param chance what `random` gives */
  constructor(
    readonly start = Date.UTC(2026, 0, 1),
    public chance = 0.5,
  ) {
    super();
  }

  now(): number {
    return this.start + this.passed;
  }

  monotonic(): number {
    return this.passed;
  }

  steady(): number {
    return this.start + this.passed;
  }

  random(): number {
    return this.chance;
  }

  after(ms: number, action: () => void): () => void {
    const timer = { at: this.passed + ms, action };
    this.waits.push(ms);
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** How long the timers that wait still have to wait, shortest first. */
  get waiting(): number[] {
    return [...this.timers].map(({ at }) => at - this.passed).sort((a, b) => a - b);
  }

  /** Lets time pass: what is due happens in its order. */
  advance(ms: number): void {
    const end = this.passed + ms;
    for (let next = this.due(end); next; next = this.due(end)) {
      this.timers.delete(next);
      this.passed = next.at;
      next.action();
    }
    this.passed = end;
  }

  private due(end: number): Timer | undefined {
    return [...this.timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
  }
}

/** The same, but a sleep takes no time unless `holdsWaits`: it is kept, and time jumps to its end. */
export class SkippingClock extends ManualClock {
  /** Every sleep that was asked for, ms. */
  readonly sleeps: number[] = [];
  /** True to let a sleep last until `advance`. */
  holdsWaits = false;

  override sleep(ms: number, ...signals: readonly AbortSignal[]): Promise<boolean> {
    this.sleeps.push(ms);
    const whole = super.sleep(ms, ...signals);
    if (!this.holdsWaits) this.advance(ms);
    return whole;
  }
}
