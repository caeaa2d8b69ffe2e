import type { QueueFigures } from '../metrics/figures.js';
import type { TaskRecord } from './task.js';

/** What a job does: run a task, or tell the caller's URL of its end. */
export type JobKind = 'task' | 'callback';

/** Work that waits in the store. */
export interface Job {
  /** The task's id. */
  readonly id: string;
  readonly kind: JobKind;
  /** Jobs of one lane run side by side up to a limit; a full lane holds no other. */
  readonly lane: string;
  /** 9 first. */
  readonly priority: number;
  /** Not before; steady epoch milliseconds. */
  readonly dueAt: number;
  /** Steady epoch milliseconds. */
  readonly deadlineAt: number;
  /** Attempts that were made before this life of the job began. */
  readonly attemptsBefore: number;
  /** The wait before the next attempt, milliseconds. */
  readonly delayMs: number;
  /** How often a process died over it. */
  readonly interruptions: number;
  /** False for a retry that the droplet's budget has not been charged for yet. */
  readonly isCharged: boolean;
}

/** One holding of a job by a worker. */
export interface Claim {
  /** The job's task as it was when the job was claimed: running, unless it is over and its callback is due. */
  readonly task: TaskRecord;
  /** Cuts the job off. */
  readonly abort: AbortSignal;
  /**
   * Names this holding to the store, which takes no outcome from one that was lost to another process, or of a callback
   * whose task has ended anew since; null where neither can be.
   */
  readonly lease: string | null;
}

/** Does a job, and settles, postpones or gives it back in the store before it resolves. */
export type JobHandler = (job: Job, claim: Claim) => Promise<void>;

/** How many jobs of a lane may run side by side. */
export interface LaneRoom {
  /** In all processes. */
  readonly most: number;
  /** In this one, now. */
  readonly now: number;
  /** When to ask again if that is less. */
  readonly askAgainMs: number;
}

/** Hands due jobs to a worker, by priority and then by time: a port, implemented by each store. */
export abstract class TaskQueue {
  /** Begins to hand out jobs, in each lane as many at once as there is room for. */
  abstract work(handler: JobHandler, roomOf: (lane: string) => LaneRoom): void;

  /** Cuts off the running job of a task; false when none runs here. */
  abstract abort(id: string): boolean;

  /** Jobs that wait or run, in all processes. */
  abstract get size(): number;

  /** What waits and runs, and for how long; cheap enough to be asked every few seconds. */
  abstract figures(): QueueFigures;

  /** Hands out no more; those that run go on. */
  abstract stop(): void;
}
