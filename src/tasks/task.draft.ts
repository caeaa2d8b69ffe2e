import { createHash } from 'node:crypto';
import type { Identity } from '../common/access.js';
import type { SubmitTask } from './submit-task.dto.js';
import { createdAtOf } from './task.id.js';
import type { TaskRecord, TaskRequest, TaskStatus } from './task.js';

/** Who asks for a task, beside its body. */
export interface Caller {
  readonly identity: Identity;
  readonly requestId: string;
  readonly traceparent: string | null;
  /** The `Idempotency-Key`, if one was given. */
  readonly idempotencyKey: string | null;
  /** Aborts when the caller hangs up or the drain begins. Made when it is asked for: few calls wait for anything that this would end. */
  readonly waitEnd: () => AbortSignal;
}

const DEFAULT_PRIORITY = 5;

/**
 * A task as it is before anything has happened to it. One literal, member by member: put together from several spread ones
 * it takes 700 ns instead of 50.
 */
export function draftTask(
  id: string,
  task: SubmitTask,
  given: { status: TaskStatus } & Pick<TaskRecord, 'caller' | 'targetUrl' | 'runAt' | 'request'>,
): TaskRecord {
  return {
    id,
    caller: given.caller,
    dropletName: task.droplet_name,
    targetUrl: given.targetUrl,
    method: task.method,
    path: task.path,
    status: given.status,
    responseStatus: null,
    responseBody: 'null',
    retryCount: 0,
    attempts: 0,
    createdAt: createdAtOf(id),
    completedAt: null,
    durationMs: null,
    error: null,
    meta: task.meta,
    priority: task.priority ?? DEFAULT_PRIORITY,
    runAt: given.runAt,
    history: [],
    callback: null,
    request: given.request,
  };
}

/** What a task sends and how hard it tries. */
export function requestOf(task: SubmitTask, { requestId, traceparent }: Caller): TaskRequest {
  return {
    payload: task.payload === null ? null : JSON.stringify(task.payload),
    headers: task.headers === null ? {} : lowerCased(task.headers),
    requestId,
    traceparent,
    callbackUrl: task.callback_url,
    timeoutMs: task.timeout_ms,
    attemptTimeoutMs: task.attempt_timeout_ms,
    maxAttempts: task.max_attempts,
    retryUnsafe: task.retry_unsafe,
  };
}

/** What two requests with one key must have in common; contract §2. */
export function fingerprintOf({ droplet_name, method, path }: SubmitTask, { payload }: TaskRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([droplet_name.toLowerCase(), method, path, payload]))
    .digest('base64');
}

/** What may be stored of a request: never the caller's own credentials, and without them nothing of what went with them. */
export function storableRequest(request: TaskRequest): TaskRequest {
  const isAuthorized = request.headers.authorization !== undefined;
  return isAuthorized ? { ...request, payload: null, headers: {}, lacksCredentials: true } : request;
}

/** Header names as the transport wants them, so that ours replace the caller's of the same name. */
function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
