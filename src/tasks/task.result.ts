import { epochSeconds } from '../common/time.js';
import { effectOf } from '../outbound/failure-class.js';
import { isSuccess, type Outcome } from '../outbound/outcome.js';
import type { AttemptRecord, Execution, Step, StoppedBy } from '../outbound/execution.js';
import { responseJson } from './response.body.js';
import type { AttemptEntry, FinalStatus, TaskError, TaskErrorCode, TaskRecord } from './task.js';

/** What a call came to, as the table of contract §2 has it. */
export interface TaskResult {
  readonly status: FinalStatus;
  readonly targetUrl: string;
  readonly responseStatus: number | null;
  /** JSON text, whole. */
  readonly responseBody: string;
  /** The number of failed attempts. */
  readonly retryCount: number;
  readonly attempts: number;
  readonly error: TaskError | null;
  readonly history: readonly AttemptEntry[];
}

/** How far a task had come before. */
type Before = Pick<TaskRecord, 'targetUrl' | 'retryCount' | 'attempts' | 'history'>;

/** The same of a task that waits, with what its last attempt came to. */
type Waiting = Before & Pick<TaskRecord, 'responseStatus' | 'responseBody' | 'error'>;

interface Ending {
  readonly outcome: Outcome;
  readonly stoppedBy: StoppedBy | null;
  /** The Registry's word on the droplet: told with a failure unless it is `active`. */
  readonly dropletStatus: string;
}

/** The result of a call that was made to its end. */
export function resultOf(before: Before, { outcome, attempts, stoppedBy }: Execution, dropletStatus: string): TaskResult {
  return conclude(attempts.reduce(withAttempt, before), { outcome, stoppedBy, dropletStatus });
}

/** The result of a task if this attempt is its last. */
export function afterAttempt(before: Before, { made, verdict }: Step, dropletStatus: string): TaskResult {
  const stoppedBy = verdict.again ? null : verdict.stoppedBy;
  return conclude(withAttempt(before, made), { outcome: made.outcome, stoppedBy, dropletStatus });
}

/** The result of a task that was cancelled, while an attempt was under way or not. */
export function cancelledResult(before: Before, cut?: AttemptRecord): TaskResult {
  const after = cut ? withAttempt(before, cut) : before;
  const history = after.history.map((entry) =>
    entry.error_code === 'INTERRUPTED' ? { ...entry, error_code: 'CANCELLED' as const } : entry,
  );
  return withoutAnswer({ ...after, history }, 'cancelled', { code: 'CANCELLED', message: 'The task was cancelled' });
}

/** The result of a task whose deadline passed before the next attempt could start: what the last one came to stands. */
export function deadlineResult(waiting: Waiting): TaskResult {
  const { targetUrl, retryCount, attempts, history, responseStatus, responseBody, error: last } = waiting;
  if (!last) {
    const error = { code: 'TIMEOUT', message: 'The deadline passed before the next attempt' } as const;
    return withoutAnswer(waiting, 'timeout', error, 'deadline');
  }
  const error: TaskError = { ...last, details: { ...last.details, stopped_by: 'deadline' } };
  return { ...{ targetUrl, retryCount, attempts, history, responseStatus, responseBody }, status: failedStatus(error), error };
}

/** The result of a task that the process was killed over, again and again. */
export function interruptedResult(before: Before, times: number): TaskResult {
  const message = `The process ended ${times} times while the task ran`;
  return withoutAnswer(before, 'error', { code: 'INTERRUPTED', message }, null, 'unknown');
}

function withoutAnswer(
  { targetUrl, retryCount, attempts, history }: Before,
  status: FinalStatus,
  error: Omit<TaskError, 'details'>,
  stoppedBy: StoppedBy | null = null,
  effect = effectOfHistory(history),
): TaskResult {
  const details = { effect, stopped_by: stoppedBy };
  const nothing = { responseStatus: null, responseBody: 'null' };
  return { ...{ status, targetUrl, retryCount, attempts, history }, ...nothing, error: { ...error, details } };
}

function conclude(
  { targetUrl, retryCount, attempts, history }: Before,
  { outcome, stoppedBy, dropletStatus }: Ending,
): TaskResult {
  const failure = failureOf(outcome);
  return {
    status: failure === null ? 'success' : failedStatus(failure),
    targetUrl,
    responseStatus: statusOf(outcome),
    responseBody: outcome.kind === 'answered' && outcome.status !== 204 ? responseJson(outcome.body) : 'null',
    retryCount,
    attempts,
    error: failure && { ...failure, details: failureDetails(history, { outcome, stoppedBy, dropletStatus }) },
    history,
  };
}

const failureDetails = (history: Before['history'], { outcome, stoppedBy, dropletStatus }: Ending): TaskError['details'] => ({
  effect: effectOfHistory(history),
  stopped_by: stoppedBy,
  ...(outcome.kind === 'address-refused' ? { reason: 'address_refused' } : {}),
  ...(dropletStatus === 'active' ? {} : { droplet_status: dropletStatus }),
});

const failedStatus = ({ code }: Pick<TaskError, 'code'>): FinalStatus => (code === 'TIMEOUT' ? 'timeout' : 'error');

/** Whether a task may have taken effect although it failed: it may have if any one attempt may have. */
const effectOfHistory = (history: readonly AttemptEntry[]): 'none' | 'unknown' =>
  history.some(({ effect }) => effect === 'unknown') ? 'unknown' : 'none';

function withAttempt(before: Before, made: AttemptRecord): Before {
  return {
    targetUrl: made.target?.url ?? before.targetUrl,
    retryCount: before.retryCount + (made.isFailed ? 1 : 0),
    attempts: before.attempts + 1,
    history: [...before.history, attemptEntry(made)],
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
    endpoint: target?.endpoint ?? null,
    effect: effectOf([outcome]),
  };
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
