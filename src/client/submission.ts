import type { SubmitTask, TaskResult } from './api.types.js';
import { pause, type Limits } from './deadline.js';
import { isFinal } from './task.filter.js';
import type { Transport } from './transport.js';

export interface SubmitOptions extends Limits {
  /**
   * What makes a request that is sent twice be done once: a text of the caller's own, or true for one that is made up. With a
   * key, a request whose connection was lost is sent again.
   */
  readonly idempotencyKey?: string | true | undefined;
}

export interface EnqueueOptions extends SubmitOptions {
  /** How long to wait for the outcome; without it, the receipt is given at once. 23 hours at the most. */
  readonly waitMs?: number | undefined;
}

/** What one request waits: proxies like to end those that take a minute. The server grants 60 seconds at most. */
const LONGEST_WAIT_SECONDS = 50;
/** A key is kept for 24 hours: sent again after that, it would make a second task. */
const LONGEST_WAIT_MS = 23 * 3_600_000;
/** A server that answers at once, as one does that shuts down, is not asked without a pause. */
const BETWEEN_WAITS_MS = 200;

/** Runs a task now; its answer is its outcome. */
export function submitNow(transport: Transport, task: SubmitTask, options: SubmitOptions): Promise<TaskResult> {
  const timeoutMs = options.timeoutMs ?? transport.timeoutMs + (task.timeout_ms ?? 0);
  return post(transport, task, { ...options, timeoutMs });
}

/** Hands a task over, to be run when it is due; waits for its outcome if asked to, and gives it as it stands then. */
export async function submitLater(transport: Transport, task: SubmitTask, options: EnqueueOptions): Promise<TaskResult> {
  const { waitMs = 0 } = options;
  // What waits asks again with its key, and gets the same task.
  const key = options.idempotencyKey ?? (waitMs > 0 ? true : undefined);
  const idempotencyKey = key === true ? madeUpKey() : key;
  const end = performance.now() + Math.min(waitMs, LONGEST_WAIT_MS);
  for (;;) {
    const left = Math.max(0, end - performance.now());
    const seconds = Math.min(LONGEST_WAIT_SECONDS, Math.ceil(left / 1000));
    const prefer = seconds > 0 ? `respond-async, wait=${seconds}` : 'respond-async';
    const timeoutMs = (options.timeoutMs ?? transport.timeoutMs) + seconds * 1000;
    const result = await post(transport, task, { ...options, idempotencyKey, timeoutMs }, { prefer });
    if (isFinal(result.status) || performance.now() >= end) return result;
    await pause(BETWEEN_WAITS_MS, options.signal);
  }
}

/** Not `randomUUID`, which browsers keep from pages without TLS. */
const madeUpKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

function post(transport: Transport, body: SubmitTask, options: SubmitOptions, headers: Record<string, string> = {}) {
  const { idempotencyKey, ...limits } = options;
  const key = idempotencyKey === true ? madeUpKey() : idempotencyKey;
  const all = { ...headers, ...(key === undefined ? {} : { 'idempotency-key': key }) };
  return transport.json<TaskResult>({
    ...{ method: 'POST', path: '/tasks', body, headers: all, isRepeatable: key !== undefined },
    ...limits,
  });
}
