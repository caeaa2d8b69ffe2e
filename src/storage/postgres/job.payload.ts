import type { Job } from '../../tasks/task.queue.js';

/** A job as pg-boss keeps it. */
export interface JobPayload {
  /** The job as JSON, its times by the clock of who put it: the first version reads and writes no more than this. */
  readonly job: string;
  /** The same times as counted from when it was put, so that replicas need not agree on the time. */
  readonly dueInMs?: number;
  readonly deadlineInMs?: number;
}

/** The first version knew nothing of charges. */
type KeptJob = Omit<Job, 'isCharged'> & Partial<Job>;

/** Below this a time in `job` is one that an early build counted from when the job was put; a later one is epoch ms. */
const EPOCH_TIMES_FROM = Date.UTC(2001, 8, 9);

/** @param now steady epoch milliseconds */
export const payloadOf = (job: Job, now: number): JobPayload => ({
  job: JSON.stringify(job),
  dueInMs: job.dueAt - now,
  deadlineInMs: job.deadlineAt - now,
});

/** The job of a payload, also of one that an earlier version put. @param putAt steady epoch milliseconds */
export function jobFrom({ job, dueInMs, deadlineInMs }: JobPayload, putAt: number): Job {
  const kept = { isCharged: true, ...(JSON.parse(job) as KeptJob) };
  return {
    ...kept,
    dueAt: dueInMs === undefined ? earlierTime(kept.dueAt, putAt) : putAt + dueInMs,
    deadlineAt: deadlineInMs === undefined ? earlierTime(kept.deadlineAt, putAt) : putAt + deadlineInMs,
  };
}

const earlierTime = (time: number, putAt: number): number => (time < EPOCH_TIMES_FROM ? putAt + time : time);
