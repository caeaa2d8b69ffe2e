import type { ErrorDetails } from './task.error.js';

export const FINAL_STATUSES = ['success', 'error', 'timeout', 'cancelled'] as const;
export const TASK_STATUSES = ['queued', 'running', ...FINAL_STATUSES] as const;

export type FinalStatus = (typeof FINAL_STATUSES)[number];

/** Where a task stands; contract §2. */
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** The legal moves. A final state never changes, except that an unsuccessful one may be queued again by a retry. */
export const MOVES: Readonly<Record<TaskStatus, readonly TaskStatus[]>> = {
  queued: ['running', 'error', 'timeout', 'cancelled'],
  running: ['queued', ...FINAL_STATUSES],
  success: [],
  error: ['queued'],
  timeout: ['queued'],
  cancelled: ['queued'],
};

export const isFinal = (status: TaskStatus): status is FinalStatus => (FINAL_STATUSES as readonly string[]).includes(status);

/** The states from which a task may come to `status`. */
export const statesBefore = (status: TaskStatus): TaskStatus[] => TASK_STATUSES.filter((from) => MOVES[from].includes(status));

/** Why a task did not succeed. */
export interface TaskError {
  readonly code: TaskErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
}

export type TaskErrorCode =
  'DROPLET_ERROR' | 'DROPLET_UNREACHABLE' | 'TIMEOUT' | 'RESPONSE_TOO_LARGE' | 'CANCELLED' | 'INTERRUPTED';

/** One attempt as the task's history shows it. */
export interface AttemptEntry {
  readonly attempt: number;
  /** Epoch seconds. */
  readonly started_at: number;
  readonly duration_ms: number;
  readonly response_status: number | null;
  readonly error_code: TaskErrorCode | null;
  /** The wait before it. */
  readonly delay_ms: number;
  /** Null when the droplet was not known. */
  readonly endpoint: string | null;
  /** Whether it may have taken effect although it failed; `none` for a success. */
  readonly effect: 'none' | 'unknown';
}

/** How the delivery of a task's callback went. */
export interface CallbackState {
  readonly status: 'pending' | 'delivered' | 'failed';
  readonly attempts: number;
  readonly last_error: string | null;
}

/** A task as it is remembered. */
export interface TaskRecord {
  readonly id: string;
  /** The name of who asked for it; empty where callers have no names. */
  readonly caller: string;
  /** As the caller typed it. */
  readonly dropletName: string;
  readonly targetUrl: string;
  readonly method: string;
  readonly path: string;
  readonly status: TaskStatus;
  /** Like `responseBody` and `error`: the outcome, or, until it is final, that of the last attempt, which nobody is shown. */
  readonly responseStatus: number | null;
  /** JSON text. */
  readonly responseBody: string;
  /** The number of failed attempts. */
  readonly retryCount: number;
  readonly attempts: number;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** Epoch milliseconds; null until it is final. */
  readonly completedAt: number | null;
  /** From the first attempt's start to the end; null until it is final. */
  readonly durationMs: number | null;
  readonly error: TaskError | null;
  readonly meta: Readonly<Record<string, string>> | null;
  readonly priority: number;
  /** When an asynchronous task was first due, epoch milliseconds; null for a synchronous one. */
  readonly runAt: number | null;
  readonly callback: CallbackState | null;
  readonly history: readonly AttemptEntry[];
  /** What to send; kept while the task may run again, null after a success or when it may not be stored. */
  readonly request: TaskRequest | null;
}

/** What a task sends and how hard it tries: all that is needed to run it, now or after a restart. */
export interface TaskRequest {
  /** JSON text, or null for no body. */
  readonly payload: string | null;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly requestId: string;
  readonly traceparent: string | null;
  /** While traces are collected: what the caller sent along, and the last attempt that was made. */
  readonly tracestate?: string;
  readonly lastAttempt?: string;
  readonly callbackUrl: string | null;
  /** What the caller asked for; null means the settings. */
  readonly timeoutMs: number | null;
  readonly attemptTimeoutMs: number | null;
  readonly maxAttempts: number | null;
  readonly retryUnsafe: boolean | null;
  /** True when the caller's own credentials were left out: it cannot run again. */
  readonly lacksCredentials?: boolean;
}

/** What becomes of a task when an attempt, or all of it, is over. */
export type TaskChange = Partial<Omit<TaskRecord, 'id' | 'createdAt' | 'status'>> & { readonly status: TaskStatus };
