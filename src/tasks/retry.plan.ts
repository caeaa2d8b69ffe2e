import type { Settings } from '../config/settings.js';
import type { DropletPolicy } from '../outbound/droplet.policy.js';
import type { RetryPlan } from '../outbound/outbound.call.js';
import type { TaskRequest } from './task.js';

/** The part of a request that says how hard to try; null means the policy or the settings. */
type Wishes = Pick<TaskRequest, 'maxAttempts' | 'timeoutMs' | 'attemptTimeoutMs' | 'retryUnsafe'>;

/** Asks for nothing. */
export const NO_WISHES: Wishes = { maxAttempts: null, timeoutMs: null, attemptTimeoutMs: null, retryUnsafe: null };

/** The longest that a caller waits for a task; contract §2. */
export const LONGEST_SYNCHRONOUS_MS = 600_000;

/** How often and how long a caller who waits is tried for: what the task asks for, else the settings. */
export function synchronousPlan(asked: Wishes, settings: Settings, policy: DropletPolicy | null = null): RetryPlan {
  const timeoutMs = asked.timeoutMs ?? policy?.timeoutMs ?? settings.TASK_TIMEOUT;
  return {
    maxAttempts: asked.maxAttempts ?? policy?.maxAttempts ?? settings.TASK_MAX_RETRIES,
    // A policy speaks for asynchronous tasks too, which may take days.
    timeoutMs: policy?.timeoutMs == null ? timeoutMs : Math.min(timeoutMs, LONGEST_SYNCHRONOUS_MS),
    attemptTimeoutMs: asked.attemptTimeoutMs ?? policy?.attemptTimeoutMs ?? settings.TASK_ATTEMPT_TIMEOUT,
    retryUnsafe: asked.retryUnsafe ?? true,
    retryStatuses: policy?.retryStatuses ?? [],
    isPatient: false,
    backoff: {
      baseMs: settings.RETRY_BACKOFF_BASE_MS,
      maxMs: settings.RETRY_BACKOFF_MAX_MS,
      jitter: settings.RETRY_JITTER,
    },
  };
}

/** The same for a task that nobody waits for: more patient by default. */
export function asynchronousPlan(asked: Wishes, settings: Settings, policy: DropletPolicy | null = null): RetryPlan {
  return {
    maxAttempts: asked.maxAttempts ?? policy?.maxAttempts ?? settings.ASYNC_MAX_RETRIES,
    timeoutMs: asked.timeoutMs ?? policy?.timeoutMs ?? settings.ASYNC_TASK_TIMEOUT,
    attemptTimeoutMs: asked.attemptTimeoutMs ?? policy?.attemptTimeoutMs ?? settings.ASYNC_ATTEMPT_TIMEOUT,
    retryUnsafe: asked.retryUnsafe ?? true,
    retryStatuses: policy?.retryStatuses ?? [],
    isPatient: true,
    backoff: { baseMs: settings.ASYNC_BACKOFF_BASE_MS, maxMs: settings.ASYNC_BACKOFF_MAX_MS, jitter: settings.RETRY_JITTER },
  };
}
