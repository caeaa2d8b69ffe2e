import { OrchestratorError } from '../common/errors.js';
import { stringifyWith } from '../common/json.js';
import { epochSeconds, iso } from '../common/time.js';
import { isFinal, type TaskRecord } from './task.js';
import type { TaskPage } from './task.store.js';

/** The JSON text of the answer to a submitted task; contract §2. The droplet's body goes in as it was written. */
export function resultText(task: TaskRecord, recorded = true): string {
  const shown = withOutcome(task);
  const { id, status, targetUrl, responseStatus, retryCount, durationMs, attempts, error } = shown;
  return printed(
    {
      task_id: id,
      status,
      target_url: targetUrl,
      response_status: responseStatus,
      retry_count: retryCount,
      duration_ms: durationMs,
      attempts,
      error,
      recorded,
    },
    shown,
  );
}

/** The JSON text of a record, whole. */
export function recordText(task: TaskRecord): string {
  const shown = withOutcome(task);
  return printed({ ...members(shown), history: shown.history }, shown);
}

/** The JSON text of `GET /tasks`. */
export function pageText({ tasks, total, isTotalExact, hasMore }: TaskPage, limit: number): string {
  const next_cursor = hasMore ? (tasks.at(-1)?.id ?? null) : null;
  const list = tasks.map(withOutcome).map((task) => printed(members(task), task));
  return stringifyWith({ total, limit, total_exact: isTotalExact, next_cursor }, { tasks: `[${list.join(',')}]` });
}

/** The JSON text of `POST /tasks/batch`. */
export function batchText(results: readonly (TaskRecord | OrchestratorError)[]): string {
  const refused = results.filter((result) => result instanceof OrchestratorError).length;
  return JSON.stringify({
    results: results.map((result) =>
      result instanceof OrchestratorError ? { error: errorView(result) } : { task_id: result.id, status: result.status },
    ),
    accepted: results.length - refused,
    rejected: refused,
  });
}

const errorView = ({ code, message, details }: OrchestratorError) => ({ code, message, details });

/** The JSON text of an event: the record without what was answered. */
export const eventText = (task: TaskRecord): string => JSON.stringify(members(withOutcome(task)));

/** A task that is not over has no outcome yet, whatever its last attempt came to. */
const withOutcome = (task: TaskRecord): TaskRecord =>
  isFinal(task.status) ? task : { ...task, responseStatus: null, responseBody: 'null', error: null };

const printed = (view: object, { responseBody }: TaskRecord): string => stringifyWith(view, { response_body: responseBody });

function members(task: TaskRecord) {
  const { createdAt, completedAt, runAt } = task;
  return {
    ...{ id: task.id, droplet_name: task.dropletName, target_url: task.targetUrl, method: task.method, path: task.path },
    ...{ status: task.status, response_status: task.responseStatus, retry_count: task.retryCount, attempts: task.attempts },
    ...{ created_at: epochSeconds(createdAt), completed_at: completedAt === null ? null : epochSeconds(completedAt) },
    ...{ duration_ms: task.durationMs, error_message: task.error?.message ?? null, error: task.error, meta: task.meta },
    ...{ priority: task.priority, run_at: runAt === null ? null : iso(runAt), callback: task.callback },
  };
}
