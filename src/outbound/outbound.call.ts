import type { Backoff } from './backoff.js';
import type { AttemptRecord } from './execution.js';
import type { Gate } from './gate.js';
import type { Target } from './target-url.js';

/** What one attempt is told: its number from 1, and the time left for the whole call. */
export interface AttemptInfo {
  readonly attempt: number;
  readonly remainingMs: number;
}

/** One call, made up to `plan.maxAttempts` times. Target and headers are asked anew for each attempt. */
export interface OutboundCall {
  readonly method: string;
  /** May throw an OrchestratorError: then the attempt counts as not sent. */
  readonly target: () => Target;
  readonly headers: (info: AttemptInfo) => Readonly<Record<string, string>>;
  /** JSON text, or null for no body. */
  readonly body: string | null;
  /** Bytes of answer that are read at the most. */
  readonly responseLimit: number;
  /** True when private and loopback addresses are refused too: the address is a caller's own word. */
  readonly publicOnly?: boolean;
  /** What the call must pass; none for those that are no droplet's. */
  readonly gate?: Gate;
  /** Is told of each attempt at its end. */
  readonly onMade?: (made: AttemptRecord) => void;
}

/** How often and how long to try; milliseconds. */
export interface RetryPlan {
  /** All attempts, the first included. */
  readonly maxAttempts: number;
  /** The deadline of the whole call: attempts and waits. */
  readonly timeoutMs: number;
  /** One attempt, body included. */
  readonly attemptTimeoutMs: number;
  readonly backoff: Backoff;
  /** May a POST or PATCH be repeated when it is unknown whether it took effect? */
  readonly retryUnsafe: boolean;
  /** Answers that are retried although they are no 5xx. */
  readonly retryStatuses: readonly number[];
  /** True when nobody waits: what stops a retry now only puts it off. */
  readonly isPatient: boolean;
}

/** How a call can be taken back from outside. */
export interface Cancellation {
  /** The running attempt goes on, a wait ends at once, no further attempt starts. Asked only when there is a wait. */
  readonly stop: () => readonly AbortSignal[];
  /** The running attempt is cut off. */
  readonly abort: AbortSignal;
}

/** How far a call has come. */
export interface Progress {
  /** The number of the attempt to make, from 1. */
  readonly attempt: number;
  /** Of those, the attempts that do not count any more: the call was begun anew after them. */
  readonly attemptsBefore: number;
  /** When the whole call is over; monotonic milliseconds. */
  readonly deadline: number;
  /** The wait before this attempt. */
  readonly delayMs: number;
}
