import type { Settings } from '../config/settings.js';
import type { RetryPlan } from '../outbound/retry.policy.js';
import type { TaskRequest } from './task.js';

/** What the settings give a task that asks for nothing. */
interface Defaults {
  readonly maxAttempts: number;
  readonly timeoutMs: number;
  readonly attemptTimeoutMs: number;
  readonly baseMs: number;
  readonly maxMs: number;
}

/** How often and how long a caller who waits is tried for: what the task asks for, else the settings. */
export function synchronousPlan(asked: TaskRequest, settings: Settings): RetryPlan {
  return plan(asked, settings, {
    ...{
      maxAttempts: settings.TASK_MAX_RETRIES,
      timeoutMs: settings.TASK_TIMEOUT,
      attemptTimeoutMs: settings.TASK_ATTEMPT_TIMEOUT,
    },
    ...{ baseMs: settings.RETRY_BACKOFF_BASE_MS, maxMs: settings.RETRY_BACKOFF_MAX_MS },
  });
}

/** The same for a task that nobody waits for: more patient by default. */
export function asynchronousPlan(asked: TaskRequest, settings: Settings): RetryPlan {
  return plan(asked, settings, {
    ...{ maxAttempts: settings.ASYNC_MAX_RETRIES, timeoutMs: settings.ASYNC_TASK_TIMEOUT },
    ...{ attemptTimeoutMs: settings.ASYNC_ATTEMPT_TIMEOUT },
    ...{ baseMs: settings.ASYNC_BACKOFF_BASE_MS, maxMs: settings.ASYNC_BACKOFF_MAX_MS },
  });
}

function plan(asked: TaskRequest, { RETRY_JITTER: jitter }: Settings, { baseMs, maxMs, ...defaults }: Defaults): RetryPlan {
  return {
    maxAttempts: asked.maxAttempts ?? defaults.maxAttempts,
    timeoutMs: asked.timeoutMs ?? defaults.timeoutMs,
    attemptTimeoutMs: asked.attemptTimeoutMs ?? defaults.attemptTimeoutMs,
    retryUnsafe: asked.retryUnsafe ?? true,
    backoff: { baseMs, maxMs, jitter },
  };
}
