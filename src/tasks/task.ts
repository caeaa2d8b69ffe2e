import type { ErrorDetails } from './task.error.js';

/** Where a task stands; contract §2. Only finished ones are stored so far: a task is written once, at its end. */
export const FINAL_STATUSES = ['success', 'error', 'timeout'] as const;
export type TaskStatus = (typeof FINAL_STATUSES)[number];

/** Why a task did not succeed. */
export interface TaskError {
  readonly code: TaskErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
}

export type TaskErrorCode = 'DROPLET_ERROR' | 'DROPLET_UNREACHABLE' | 'TIMEOUT' | 'RESPONSE_TOO_LARGE' | 'INTERRUPTED';

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
  readonly endpoint: string;
}

/** A task as it is remembered. */
export interface TaskRecord {
  readonly id: string;
  /** As the caller typed it. */
  readonly dropletName: string;
  readonly targetUrl: string;
  readonly method: string;
  readonly path: string;
  readonly status: TaskStatus;
  readonly responseStatus: number | null;
  /** JSON text, at most 10 KiB. */
  readonly responseBody: string;
  /** The number of failed attempts. */
  readonly retryCount: number;
  readonly attempts: number;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** Epoch milliseconds. */
  readonly completedAt: number;
  readonly durationMs: number;
  readonly error: TaskError | null;
  readonly meta: Readonly<Record<string, string>> | null;
  readonly priority: number;
  readonly history: readonly AttemptEntry[];
}
