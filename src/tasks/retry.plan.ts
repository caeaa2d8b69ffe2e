import type { Settings } from '../config/settings.js';
import type { RetryPlan } from '../outbound/retry.policy.js';
import type { SubmitTask } from './submit-task.dto.js';

/** How often and how long to try: what the task asks for, else the settings. */
export function retryPlan(task: SubmitTask, settings: Settings): RetryPlan {
  return {
    maxAttempts: task.max_attempts ?? settings.TASK_MAX_RETRIES,
    timeoutMs: task.timeout_ms ?? settings.TASK_TIMEOUT,
    attemptTimeoutMs: task.attempt_timeout_ms ?? settings.TASK_ATTEMPT_TIMEOUT,
    retryUnsafe: task.retry_unsafe ?? true,
    backoff: {
      baseMs: settings.RETRY_BACKOFF_BASE_MS,
      maxMs: settings.RETRY_BACKOFF_MAX_MS,
      jitter: settings.RETRY_JITTER,
    },
  };
}
