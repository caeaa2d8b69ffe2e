import type { Settings } from '../config/settings.js';
import type { Verdict } from '../outbound/execution.js';
import type { Job } from './task.queue.js';
import type { TaskRecord } from './task.js';

/** What a verdict says of the next attempt. */
type Retry = Pick<Verdict & { again: true }, 'delayMs' | 'isCharged'>;

/** The first job of a task. @param dueAt steady epoch milliseconds @param timeoutMs from then */
export function firstJob(task: TaskRecord, dueAt: number, timeoutMs: number): Job {
  return {
    id: task.id,
    kind: 'task',
    lane: laneOf(task.dropletName),
    priority: task.priority,
    dueAt,
    deadlineAt: dueAt + timeoutMs,
    attemptsBefore: task.attempts,
    delayMs: 0,
    interruptions: 0,
    isCharged: true,
  };
}

/** The same job for the next attempt, `delayMs` milliseconds from `now`; the store keeps whole ones. */
export function nextAttemptJob(job: Job, now: number, { delayMs, isCharged }: Retry): Job {
  const wait = Math.ceil(delayMs);
  return { ...job, dueAt: now + wait, delayMs: wait, isCharged };
}

/** The same attempt, made later; it need not outlast the task. */
export function laterJob(job: Job, now: number, delayMs: number): Job {
  return { ...job, dueAt: Math.max(now, Math.min(now + Math.ceil(delayMs), job.deadlineAt)) };
}

/** The job that tells the caller's URL of the task's end; null if none was asked for. */
export function callbackJob({ id, request, priority }: TaskRecord, now: number, settings: Settings): Job | null {
  if (!request?.callbackUrl) return null;
  return {
    id,
    kind: 'callback',
    lane: `callback ${new URL(request.callbackUrl).origin}`,
    priority,
    dueAt: now,
    deadlineAt: now + settings.ASYNC_TASK_TIMEOUT,
    attemptsBefore: 0,
    delayMs: 0,
    interruptions: 0,
    isCharged: true,
  };
}

const DROPLET = 'droplet ';

/** Jobs of one droplet share a lane, however its name was typed. */
const laneOf = (dropletName: string): string => `${DROPLET}${dropletName.toLowerCase()}`;

/** The droplet of a lane; null for the lane of a callback. */
export const dropletOf = (lane: string): string | null => (lane.startsWith(DROPLET) ? lane.slice(DROPLET.length) : null);
