import type { Settings } from '../config/settings.js';
import type { DropletPolicy } from '../outbound/droplet.policy.js';
import type { RetryPlan } from '../outbound/outbound.call.js';
import type { TaskRequest } from './task.js';

/** The part of a request that says how hard to try; null means the policy or the settings. */
type Wishes = Pick<TaskRequest, 'maxAttempts' | 'timeoutMs' | 'attemptTimeoutMs' | 'retryUnsafe'>;

/** Asks for nothing. */
export const NO_WISHES: Wishes = { maxAttempts: null, timeoutMs: null, attemptTimeoutMs: null, retryUnsafe: null };

/** What the settings give a task that asks for nothing. */
interface Defaults {
  readonly maxAttempts: number;
  readonly timeoutMs: number;
  readonly attemptTimeoutMs: number;
  readonly baseMs: number;
  readonly maxMs: number;
}

/** The longest that a caller waits for a task; contract §2. */
export const LONGEST_SYNCHRONOUS_MS = 600_000;

/** How often and how long a caller who waits is tried for: what the task asks for, else the settings. */
export function synchronousPlan(asked: Wishes, settings: Settings, policy: DropletPolicy | null = null): RetryPlan {
  const made = plan({ asked, policy, isPatient: false }, settings, {
    ...{ maxAttempts: settings.TASK_MAX_RETRIES, timeoutMs: settings.TASK_TIMEOUT },
    ...{ attemptTimeoutMs: settings.TASK_ATTEMPT_TIMEOUT },
    ...{ baseMs: settings.RETRY_BACKOFF_BASE_MS, maxMs: settings.RETRY_BACKOFF_MAX_MS },
  });
  // A policy speaks for asynchronous tasks too, which may take days.
  return policy?.timeoutMs == null ? made : { ...made, timeoutMs: Math.min(made.timeoutMs, LONGEST_SYNCHRONOUS_MS) };
}

/** The same for a task that nobody waits for: more patient by default. */
export function asynchronousPlan(asked: Wishes, settings: Settings, policy: DropletPolicy | null = null): RetryPlan {
  return plan({ asked, policy, isPatient: true }, settings, {
    ...{ maxAttempts: settings.ASYNC_MAX_RETRIES, timeoutMs: settings.ASYNC_TASK_TIMEOUT },
    ...{ attemptTimeoutMs: settings.ASYNC_ATTEMPT_TIMEOUT },
    ...{ baseMs: settings.ASYNC_BACKOFF_BASE_MS, maxMs: settings.ASYNC_BACKOFF_MAX_MS },
  });
}

/** Whose word counts before the settings': the task's own, then the droplet's policy. */
interface Asked {
  readonly asked: Wishes;
  readonly policy: DropletPolicy | null;
  readonly isPatient: boolean;
}

function plan(
  { asked, policy, isPatient }: Asked,
  { RETRY_JITTER: jitter }: Settings,
  { baseMs, maxMs, ...defaults }: Defaults,
): RetryPlan {
  return {
    maxAttempts: asked.maxAttempts ?? policy?.maxAttempts ?? defaults.maxAttempts,
    timeoutMs: asked.timeoutMs ?? policy?.timeoutMs ?? defaults.timeoutMs,
    attemptTimeoutMs: asked.attemptTimeoutMs ?? policy?.attemptTimeoutMs ?? defaults.attemptTimeoutMs,
    retryUnsafe: asked.retryUnsafe ?? true,
    retryStatuses: policy?.retryStatuses ?? [],
    isPatient,
    backoff: { baseMs, maxMs, jitter },
  };
}
