import type { TaskTotals } from '../metrics/metrics.js';
import type { TaskRecord } from './task.js';

/** What a list asks for; all given filters must hold. */
export interface TaskQuery {
  readonly status?: string;
  /** Compared without regard to case. */
  readonly dropletName?: string;
  /** Epoch milliseconds, both exclusive. */
  readonly createdAfter?: number;
  readonly createdBefore?: number;
  readonly meta: Readonly<Record<string, string>>;
  /** The id of the last task of the page before. */
  readonly cursor?: string;
  readonly limit: number;
}

export interface TaskPage {
  /** Newest first; their histories are left empty. */
  readonly tasks: readonly TaskRecord[];
  /** All matches, before limit and cursor. */
  readonly total: number;
  /** False when `total` is a lower bound. */
  readonly isTotalExact: boolean;
  /** True when there are more after this page. */
  readonly hasMore: boolean;
}

/** Which final tasks may stay: the oldest others go first. */
export interface Retention {
  readonly maxTasks: number;
  /** Epoch milliseconds: what was created before goes. */
  readonly createdSince: number;
  readonly maxBytes: number;
}

/** Where tasks are remembered: a port, implemented by each store. Ids are UUIDv7, so their order is that of creation. */
export abstract class TaskStore {
  /** False while writes are known to fail; it finds out by itself when they work again. */
  abstract get isWritable(): boolean;

  /** Writes a finished task and its share of the totals; durable when it resolves. @throws StorageUnavailableError */
  abstract insert(task: TaskRecord): Promise<void>;

  abstract get(id: string): Promise<TaskRecord | null>;

  abstract list(query: TaskQuery): Promise<TaskPage>;

  /** Finished tasks ever; purging does not lower them. */
  abstract totals(): Promise<TaskTotals>;

  /** The durations of the last finished tasks, oldest first, ms. */
  abstract lastDurations(count: number): Promise<number[]>;

  /** Removes some of the tasks that may not stay, in one short write; resolves to how many. @throws StorageUnavailableError */
  abstract purge(retention: Retention): Promise<number>;
}
