import type { Outcome } from './outcome.js';
import type { Target } from './target-url.js';

/** What stopped further attempts after a failure that deserved one. */
export type StoppedBy = 'attempts' | 'deadline' | 'budget' | 'breaker';

/** One attempt as it was made. */
export interface AttemptRecord {
  readonly attempt: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly durationMs: number;
  /** The wait before it. */
  readonly delayMs: number;
  /** Null when there was nowhere to send it. */
  readonly target: Target | null;
  readonly outcome: Outcome;
  /** True when it deserved another one. */
  readonly isFailed: boolean;
}

/** A finished call: the last attempt made decides. */
export interface Execution {
  readonly outcome: Outcome;
  readonly attempts: readonly AttemptRecord[];
  readonly stoppedBy: StoppedBy | null;
}

/** Whether to call again, after which wait, and whether the budget has been charged for it; or what stopped that. */
export type Verdict =
  | { readonly again: true; readonly delayMs: number; readonly isCharged: boolean }
  | { readonly again: false; readonly stoppedBy: StoppedBy | null };

/** One attempt, and what is to come of it. */
export interface Step {
  readonly made: AttemptRecord;
  readonly verdict: Verdict;
}
