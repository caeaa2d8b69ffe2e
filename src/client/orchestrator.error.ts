import type { Failure } from './api.types.js';

/** What a call to the orchestrator can fail with: its own codes, and three that only the client can see. */
export type OrchestratorErrorCode = Failure['code'] | 'UNREACHABLE' | 'TIMED_OUT' | 'UNEXPECTED_REPLY';

interface Facts {
  readonly code: OrchestratorErrorCode;
  readonly status?: number | null;
  readonly details?: Failure['details'];
  readonly requestId?: string | null;
  readonly retryAfter?: number | null;
  readonly mayHaveArrived?: boolean;
  readonly cause?: unknown;
}

/**
 * A request that was refused, or got no usable answer. A task that a droplet failed is none: it is answered, and its `status`
 * says so. What the caller aborts itself is thrown as the reason of its signal.
 */
export class OrchestratorError extends Error {
  override readonly name = 'OrchestratorError';
  /** What to decide by: a code of the orchestrator, `UNREACHABLE`, `TIMED_OUT` (by the client's own limit) or `UNEXPECTED_REPLY`. */
  readonly code: OrchestratorErrorCode;
  /** The HTTP status; null without an answer. */
  readonly status: number | null;
  /** What more there is to say, by code. */
  readonly details: Failure['details'];
  /** To be found in the server's log; null without an answer. */
  readonly requestId: string | null;
  /** Seconds after which it may be tried again; null where nothing was said. */
  readonly retryAfter: number | null;
  /** True when no answer came, and nobody knows whether the request took effect. */
  readonly mayHaveArrived: boolean;

  constructor(message: string, facts: Facts) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = facts.code;
    this.status = facts.status ?? null;
    this.details = facts.details ?? null;
    this.requestId = facts.requestId ?? null;
    this.retryAfter = facts.retryAfter ?? null;
    this.mayHaveArrived = facts.mayHaveArrived ?? false;
  }
}
