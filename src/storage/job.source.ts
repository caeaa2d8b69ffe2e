import type { TaskRecord } from '../tasks/task.js';
import type { Job } from '../tasks/task.queue.js';

/** A job that this process holds, with its task. */
export interface ClaimedJob {
  readonly job: Job;
  readonly task: TaskRecord;
  readonly lease: string | null;
}

export interface Claimed {
  readonly jobs: readonly ClaimedJob[];
  /** When to look at the lane again, steady epoch ms: a lower bound of when its next waiting job is due. */
  readonly nextDue: number;
}

/** Where the jobs of lanes wait. */
export interface JobSource {
  /** Takes up to `limit` due jobs of a lane, the most urgent first; none once `stopped`. */
  claim(lane: string, limit: number, stopped: AbortSignal): Promise<Claimed>;

  /** Takes a job back whose handler failed. */
  giveBack(claimed: ClaimedJob): Promise<void>;
}
