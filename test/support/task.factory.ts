import { v7 } from 'uuid';
import { firstJob } from '../../src/tasks/task.jobs.js';
import type { Job, LaneRoom } from '../../src/tasks/task.queue.js';
import type { TaskRecord, TaskRequest } from '../../src/tasks/task.js';

const FIRST_AT = Date.UTC(2026, 0, 1);
let made = 0;

/** A finished task; each is a millisecond younger than the one before, unless `at` (epoch ms) says when. */
export function taskRecord({ at, ...change }: Partial<TaskRecord> & { at?: number } = {}): TaskRecord {
  made++;
  const createdAt = at ?? FIRST_AT + made;
  return {
    id: v7({ msecs: createdAt, seq: made }),
    caller: '',
    ...{ dropletName: 'echo', targetUrl: 'http://echo.test/work', method: 'GET', path: '/work', status: 'success' },
    ...{ responseStatus: 200, responseBody: '{"ok":true}', retryCount: 0, attempts: 1 },
    ...{ createdAt, completedAt: createdAt + 12, durationMs: 12, error: null, meta: null, priority: 5, history: [] },
    ...{ runAt: null, callback: null, request: null },
    ...change,
  };
}

/** So many tasks, oldest first. */
export const taskRecords = (count: number, change: Partial<TaskRecord> = {}): TaskRecord[] =>
  Array.from({ length: count }, () => taskRecord(change));

/** A task that nothing has happened to yet. */
export const queuedTask = (change: Partial<TaskRecord> & { at?: number } = {}): TaskRecord =>
  taskRecord({
    ...{ status: 'queued', responseStatus: null, responseBody: 'null', attempts: 0, completedAt: null, durationMs: null },
    request: taskRequest(),
    ...change,
  });

/** A request that asks for nothing in particular. */
export const taskRequest = (change: Partial<TaskRequest> = {}): TaskRequest => ({
  ...{ payload: null, headers: {}, requestId: 'r1', traceparent: null, callbackUrl: null },
  ...{ timeoutMs: null, attemptTimeoutMs: null, maxAttempts: null, retryUnsafe: null },
  ...change,
});

/** The job of a task, due at `at` (epoch ms) and over a minute later. */
export const jobOf = (task: TaskRecord, at: number, change: Partial<Job> = {}): Job => ({
  ...firstJob(task, at, 60_000),
  ...change,
});

/** As much room in a lane as there is by default. */
export const anyRoom = (): LaneRoom => ({ most: 64, now: 64, askAgainMs: 1000 });
