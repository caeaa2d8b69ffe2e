import type { Settings } from '../config/settings.js';

/** When a droplet's breaker opens, and for how long; milliseconds. */
export interface BreakerPolicy {
  readonly windowMs: number;
  readonly minCalls: number;
  readonly failurePercent: number;
  readonly openMs: number;
}

/** How one droplet is called: what the operator, else its Registry entry, else the settings say. */
export interface DropletPolicy {
  /** Null where the kind of task decides. */
  readonly timeoutMs: number | null;
  readonly attemptTimeoutMs: number | null;
  readonly maxAttempts: number | null;
  /** Answers that are retried although they are no 5xx. */
  readonly retryStatuses: readonly number[];
  readonly maxInFlight: number;
  /** Synchronous callers that wait for a place. */
  readonly maxWaiting: number;
  /** Calls a second; null for as many as there are. */
  readonly ratePerSecond: number | null;
  readonly breaker: BreakerPolicy;
  /** Sent with every call; they win over the caller's own. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What the settings say of every droplet. */
export function defaultPolicy(settings: Settings): DropletPolicy {
  return {
    ...{ timeoutMs: null, attemptTimeoutMs: null, maxAttempts: null, retryStatuses: [] },
    ...{ maxInFlight: settings.DROPLET_MAX_IN_FLIGHT, maxWaiting: settings.DROPLET_MAX_WAITING, ratePerSecond: null },
    breaker: {
      windowMs: settings.BREAKER_WINDOW_MS,
      minCalls: settings.BREAKER_MIN_CALLS,
      failurePercent: settings.BREAKER_FAILURE_PERCENT,
      openMs: settings.BREAKER_OPEN_MS,
    },
    headers: {},
  };
}
