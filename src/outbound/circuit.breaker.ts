import { SlidingWindow } from '../metrics/sliding.window.js';
import type { BreakerPolicy } from './droplet.policy.js';

const BUCKETS = 20;
/** While one call tries whether the droplet is back, the others are told to come again after this. */
const WHILE_PROBING_MS = 1000;

export type BreakerState = 'closed' | 'open' | 'half-open';

/** What an operator wants of it: `auto` lets it decide by itself. */
export type BreakerOrder = 'open' | 'closed' | 'auto';

/** What a call says of the droplet's health; `neutral` says nothing. */
export type CallResult = 'success' | 'failure' | 'neutral';

/** Leave to make one call. */
export interface Leave {
  readonly isProbe: boolean;
  /** When it was given: what comes of a call that began before the breaker last opened or closed says nothing new. */
  readonly era: number;
}

/**
 * Keeps calls away from a droplet that fails: opens when at least half of twenty calls or more failed in ten seconds,
 * and lets one through after thirty to see whether it is back; contract §6.
 */
export class CircuitBreaker {
  private calls: SlidingWindow;
  private failures: SlidingWindow;
  private windowMs = 0;
  private openUntil: number | null = null;
  private isProbing = false;
  private closedSince = -Infinity;
  private era = 0;
  private ordered: BreakerOrder = 'auto';

  /** @param now a clock that never goes back, ms */
  constructor(
    private readonly policy: () => BreakerPolicy,
    private readonly now: () => number,
  ) {
    [this.calls, this.failures] = this.windows();
  }

  get order(): BreakerOrder {
    return this.ordered;
  }

  /** What an operator wants. Whoever holds it closed, or lets go of one held open, takes the droplet for well. */
  set order(order: BreakerOrder) {
    if (order === this.ordered) return;
    if (order === 'closed' || this.ordered === 'open') this.close();
    this.ordered = order;
  }

  get state(): BreakerState {
    if (this.ordered !== 'auto') return this.ordered;
    if (this.openUntil === null) return 'closed';
    return this.now() < this.openUntil ? 'open' : 'half-open';
  }

  /** How long it has let calls through since it was last open, ms. */
  get closedForMs(): number {
    return this.now() - this.closedSince;
  }

  /** When it is worth to ask again, ms from now; 0 while calls pass. */
  get retryAfterMs(): number {
    switch (this.state) {
      case 'closed':
        return 0;
      case 'open':
        return this.ordered === 'open' ? this.policy().openMs : Math.max(0, (this.openUntil ?? 0) - this.now());
      case 'half-open':
        return this.isProbing ? WHILE_PROBING_MS : 0;
    }
  }

  /** Leave to make a call, or null: one call at a time finds out whether a droplet is back. */
  enter(): Leave | null {
    switch (this.state) {
      case 'closed':
        return { isProbe: false, era: this.era };
      case 'open':
        return null;
      case 'half-open':
        if (this.isProbing) return null;
        this.isProbing = true;
        return { isProbe: true, era: this.era };
    }
  }

  /** Takes what came of a call. */
  leave({ isProbe, era }: Leave, result: CallResult): void {
    if (era !== this.era) return;
    if (isProbe) return this.endProbe(result);
    if (result === 'neutral') return;
    if (this.windowMs !== this.policy().windowMs) [this.calls, this.failures] = this.windows();
    this.calls.add();
    if (result === 'failure') this.failures.add();
    // While it is held, it goes on counting, so that it knows at once when it may decide again.
    if (this.ordered === 'auto' && this.hasFailed()) this.open();
  }

  private endProbe(result: CallResult): void {
    this.isProbing = false;
    if (result === 'failure') this.open();
    if (result === 'success') this.close();
  }

  private hasFailed(): boolean {
    const { minCalls, failurePercent } = this.policy();
    const calls = this.calls.total();
    return calls >= minCalls && this.failures.total() * 100 >= calls * failurePercent;
  }

  private open(): void {
    this.era++;
    this.openUntil = this.now() + this.policy().openMs;
  }

  private close(): void {
    this.era++;
    this.openUntil = null;
    this.isProbing = false;
    this.closedSince = this.now();
    [this.calls, this.failures] = this.windows();
  }

  private windows(): [SlidingWindow, SlidingWindow] {
    this.windowMs = this.policy().windowMs;
    const window = (): SlidingWindow => new SlidingWindow(this.windowMs / BUCKETS, BUCKETS, this.now);
    return [window(), window()];
  }
}
