import type { Settings } from '../config/settings.js';
import type { RetryPlan } from '../outbound/retry.policy.js';
import type { TaskRequest } from './task.js';

/** How often and how long a caller who waits is tried for: what the task asks for, else the settings. */
export function synchronousPlan(asked: TaskRequest, settings: Settings): RetryPlan {
  return {
    maxAttempts: asked.maxAttempts ?? settings.TASK_MAX_RETRIES,
    timeoutMs: asked.timeoutMs ?? settings.TASK_TIMEOUT,
    attemptTimeoutMs: asked.attemptTimeoutMs ?? settings.TASK_ATTEMPT_TIMEOUT,
    retryUnsafe: asked.retryUnsafe ?? true,
    backoff: {
      baseMs: settings.RETRY_BACKOFF_BASE_MS,
      maxMs: settings.RETRY_BACKOFF_MAX_MS,
      jitter: settings.RETRY_JITTER,
    },
  };
}

/** The same for a task that nobody waits for: more patient by default. */
export function asynchronousPlan(asked: TaskRequest, settings: Settings): RetryPlan {
  return {
    maxAttempts: asked.maxAttempts ?? settings.ASYNC_MAX_RETRIES,
    timeoutMs: asked.timeoutMs ?? settings.ASYNC_TASK_TIMEOUT,
    attemptTimeoutMs: asked.attemptTimeoutMs ?? settings.ASYNC_ATTEMPT_TIMEOUT,
    retryUnsafe: asked.retryUnsafe ?? true,
    backoff: {
      baseMs: settings.ASYNC_BACKOFF_BASE_MS,
      maxMs: settings.ASYNC_BACKOFF_MAX_MS,
      jitter: settings.RETRY_JITTER,
    },
  };
}
