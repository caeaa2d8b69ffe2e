import { classify, effectOf } from '../outbound/failure-class.js';
import { isSuccess, type Outcome } from '../outbound/outcome.js';
import type { AttemptRecord, Execution } from '../outbound/retry.policy.js';
import { epochSeconds } from '../common/time.js';
import { responseJson } from './response.body.js';
import type { AttemptEntry, TaskError, TaskErrorCode, TaskStatus } from './task.js';

/** What a call came to, as the table of contract §2 has it. */
export interface TaskResult {
  readonly status: TaskStatus;
  readonly responseStatus: number | null;
  /** JSON text, whole. */
  readonly responseBody: string;
  /** The number of failed attempts. */
  readonly retryCount: number;
  readonly attempts: number;
  readonly error: TaskError | null;
  readonly history: readonly AttemptEntry[];
}

/** @param dropletStatus the Registry's word on the droplet: told with a failure unless it is `active` */
export function resultOf({ outcome, attempts, stoppedBy }: Execution, dropletStatus: string): TaskResult {
  const failure = failureOf(outcome);
  const details = {
    effect: effectOf(attempts.map((attempt) => attempt.outcome)),
    stopped_by: stoppedBy,
    ...(outcome.kind === 'address-refused' ? { reason: 'address_refused' } : {}),
    ...(dropletStatus === 'active' ? {} : { droplet_status: dropletStatus }),
  };
  return {
    status: failure === null ? 'success' : failure.code === 'TIMEOUT' ? 'timeout' : 'error',
    responseStatus: statusOf(outcome),
    responseBody: outcome.kind === 'answered' && outcome.status !== 204 ? responseJson(outcome.body) : 'null',
    retryCount: attempts.filter((attempt) => isFailedAttempt(attempt.outcome)).length,
    attempts: attempts.length,
    error: failure && { ...failure, details },
    history: attempts.map(attemptEntry),
  };
}

function attemptEntry({ attempt, startedAt, durationMs, delayMs, target, outcome }: AttemptRecord): AttemptEntry {
  return {
    attempt,
    started_at: epochSeconds(startedAt),
    duration_ms: Math.round(durationMs),
    response_status: statusOf(outcome),
    error_code: failureOf(outcome)?.code ?? null,
    delay_ms: Math.round(delayMs),
    endpoint: target.endpoint,
  };
}

/** v1.1.0 counted what deserved a retry: an answer below 500 never was a failed attempt, also when it is an error. */
function isFailedAttempt(outcome: Outcome): boolean {
  const failure = classify(outcome);
  return failure !== 'success' && failure !== 'rejected';
}

const statusOf = (outcome: Outcome): number | null =>
  outcome.kind === 'answered' || outcome.kind === 'too-large' ? outcome.status : null;

function failureOf(outcome: Outcome): { code: TaskErrorCode; message: string } | null {
  switch (outcome.kind) {
    case 'answered':
      return isSuccess(outcome) ? null : { code: 'DROPLET_ERROR', message: `The droplet answered HTTP ${outcome.status}` };
    case 'too-large':
      return { code: 'RESPONSE_TOO_LARGE', message: outcome.message };
    case 'address-refused':
    case 'not-sent':
    case 'no-answer':
      return { code: 'DROPLET_UNREACHABLE', message: outcome.message };
    case 'timed-out':
      return { code: 'TIMEOUT', message: outcome.message };
    case 'aborted':
      return { code: 'INTERRUPTED', message: outcome.message };
  }
}
