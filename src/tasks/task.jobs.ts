import type { Settings } from '../config/settings.js';
import type { Job } from './task.queue.js';
import type { TaskRecord } from './task.js';

/** The first job of a task. @param dueAt epoch milliseconds @param timeoutMs from then */
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
  };
}

/** The same job for the next attempt, `delayMs` milliseconds from `now`; the store keeps whole ones. */
export function nextAttemptJob(job: Job, now: number, delayMs: number): Job {
  const wait = Math.ceil(delayMs);
  return { ...job, dueAt: now + wait, delayMs: wait };
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
  };
}

/** Jobs of one droplet share a lane, however its name was typed. */
const laneOf = (dropletName: string): string => `droplet ${dropletName.toLowerCase()}`;
