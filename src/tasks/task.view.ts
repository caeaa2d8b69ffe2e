import { stringifyWith } from '../common/json.js';
import { epochSeconds } from '../common/time.js';
import type { TaskRecord } from './task.js';
import type { TaskPage } from './task.store.js';
import type { FinishedTask } from './task.service.js';

/** The JSON text of the answer to a synchronous task; contract §2. The droplet's body goes in as it was written. */
export function resultText({ id, targetUrl, result, durationMs, recorded }: FinishedTask): string {
  const { status, responseStatus, responseBody, retryCount, attempts, error } = result;
  return stringifyWith(
    {
      ...{ task_id: id, status, target_url: targetUrl, response_status: responseStatus },
      ...{ retry_count: retryCount, duration_ms: durationMs, attempts, error, recorded },
    },
    { response_body: responseBody },
  );
}

/** The JSON text of a record, whole. */
export const recordText = (task: TaskRecord): string => printed({ ...members(task), history: task.history }, task);

/** The JSON text of `GET /tasks`. */
export function pageText({ tasks, total, isTotalExact, hasMore }: TaskPage, limit: number): string {
  const next_cursor = hasMore ? (tasks.at(-1)?.id ?? null) : null;
  const list = tasks.map((task) => printed(members(task), task));
  return stringifyWith({ total, limit, total_exact: isTotalExact, next_cursor }, { tasks: `[${list.join(',')}]` });
}

const printed = (view: object, { responseBody }: TaskRecord): string => stringifyWith(view, { response_body: responseBody });

function members(task: TaskRecord) {
  return {
    ...{ id: task.id, droplet_name: task.dropletName, target_url: task.targetUrl, method: task.method, path: task.path },
    ...{ status: task.status, response_status: task.responseStatus, retry_count: task.retryCount, attempts: task.attempts },
    ...{ created_at: epochSeconds(task.createdAt), completed_at: epochSeconds(task.completedAt), duration_ms: task.durationMs },
    ...{ error_message: task.error?.message ?? null, error: task.error, meta: task.meta },
    ...{ priority: task.priority, run_at: null },
  };
}
