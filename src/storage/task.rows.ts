import { KEPT_BYTES, truncationNote } from '../tasks/stored.body.js';
import type { AttemptEntry, CallbackState, TaskError, TaskRecord, TaskRequest, TaskStatus } from '../tasks/task.js';

/** A row as a driver gives it. */
export type Row = Record<string, string | number | bigint | Uint8Array | null>;

/** The values of a row, named as the statement's parameters are. */
export function taskToRow(task: TaskRecord): Record<string, string | number | null> {
  return {
    id: task.id,
    caller: task.caller,
    droplet_name: task.dropletName,
    droplet_key: task.dropletName.toLowerCase(),
    target_url: task.targetUrl,
    method: task.method,
    path: task.path,
    status: task.status,
    response_status: task.responseStatus,
    response_body: task.responseBody,
    retry_count: task.retryCount,
    attempts: task.attempts,
    created_at: task.createdAt,
    completed_at: task.completedAt,
    duration_ms: task.durationMs,
    error: task.error === null ? null : JSON.stringify(task.error),
    meta: task.meta === null ? null : JSON.stringify(task.meta),
    priority: task.priority,
    history: JSON.stringify(task.history),
    run_at: task.runAt,
    callback: task.callback === null ? null : JSON.stringify(task.callback),
    request: task.request === null ? null : JSON.stringify(task.request),
  };
}

/**
 * A row without its `history` and `request` gives a task with none; one with a null `response_body` and its
 * `response_bytes` gives a task with the note that says so.
 */
export function rowToTask(row: Row): TaskRecord {
  const text = (name: string): string => String(row[name]);
  const number = (name: string): number | null => (typeof row[name] === 'number' ? row[name] : null);
  const json = (name: string): unknown => (typeof row[name] === 'string' ? JSON.parse(row[name]) : null);
  return {
    id: text('id'),
    caller: text('caller'),
    dropletName: text('droplet_name'),
    targetUrl: text('target_url'),
    method: text('method'),
    path: text('path'),
    status: text('status') as TaskStatus,
    responseStatus: number('response_status'),
    responseBody: row.response_body === null ? truncationNote(Number(row.response_bytes), KEPT_BYTES) : text('response_body'),
    retryCount: Number(row.retry_count),
    attempts: Number(row.attempts),
    createdAt: Number(row.created_at),
    completedAt: number('completed_at'),
    durationMs: number('duration_ms'),
    error: json('error') as TaskError | null,
    meta: json('meta') as Record<string, string> | null,
    priority: Number(row.priority),
    runAt: number('run_at'),
    callback: json('callback') as CallbackState | null,
    history: (json('history') ?? []) as AttemptEntry[],
    request: json('request') as TaskRequest | null,
  };
}
