import type { SQLOutputValue } from 'node:sqlite';
import type { AttemptEntry, TaskError, TaskRecord, TaskStatus } from '../../tasks/task.js';

export type Row = Record<string, SQLOutputValue>;

/** The values of a row, named as the statement's parameters are. */
export function taskToRow(task: TaskRecord): Record<string, string | number | null> {
  return {
    id: task.id,
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
  };
}

/** A row without its `history` column gives a task with an empty one. */
export function rowToTask(row: Row): TaskRecord {
  const text = (name: string): string => String(row[name]);
  const json = (name: string): unknown => (typeof row[name] === 'string' ? JSON.parse(row[name]) : null);
  return {
    id: text('id'),
    dropletName: text('droplet_name'),
    targetUrl: text('target_url'),
    method: text('method'),
    path: text('path'),
    status: text('status') as TaskStatus,
    responseStatus: row.response_status === null ? null : Number(row.response_status),
    responseBody: text('response_body'),
    retryCount: Number(row.retry_count),
    attempts: Number(row.attempts),
    createdAt: Number(row.created_at),
    completedAt: Number(row.completed_at),
    durationMs: Number(row.duration_ms),
    error: json('error') as TaskError | null,
    meta: json('meta') as Record<string, string> | null,
    priority: Number(row.priority),
    history: (json('history') ?? []) as AttemptEntry[],
  };
}
