import type { TaskTotals } from '../metrics/figures.js';
import type { CallbackState, TaskChange, TaskRecord, TaskStatus } from './task.js';
import type { Job } from './task.queue.js';

/** What a list asks for; all given filters must hold. */
export interface TaskQuery {
  /** Whose tasks; everybody's unless given. Never empty. */
  readonly caller?: string;
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
  /** Epoch milliseconds: what was completed before goes. */
  readonly completedSince: number;
  readonly maxBytes: number;
}

/** An `Idempotency-Key` as it is kept: per caller, with what it stands for. */
export interface IdempotencyKey {
  readonly caller: string;
  readonly key: string;
  readonly fingerprint: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** A task to be made durable before it runs, with its job unless its caller waits for it here. */
export interface Acceptance {
  readonly task: TaskRecord;
  readonly job: Job | null;
  readonly key: IdempotencyKey | null;
}

/** What a request is whose key stands for an earlier one: the same again, or another. */
export type Repeat = { readonly kind: 'replayed'; readonly task: TaskRecord } | { readonly kind: 'mismatch' };

/** What became of an acceptance: the task is in, or its key stands for an earlier one. */
export type Accepted = { readonly kind: 'accepted' } | Repeat;

/** What becomes of a task, and of its job: it ends, or it waits again. */
export interface Settlement {
  readonly change: TaskChange;
  /** The states in which the task must be found; any from which the move is legal, unless given. */
  readonly from?: readonly TaskStatus[];
  /** The job that takes the place of the one that ran: a later attempt, or the callback; null for none. */
  readonly next: Job | null;
  /** The claim under which the job ran: nothing is written when it was lost. */
  readonly lease?: string | null;
}

/** How the delivery of a callback goes. */
export interface CallbackSettlement {
  readonly callback: CallbackState;
  readonly next: Job | null;
  readonly lease: string | null;
}

/** A task that no living process runs, although it or its callback's job is marked as running. */
export interface Abandoned {
  readonly task: TaskRecord;
  /** Null for a synchronous task: its caller is gone. */
  readonly job: Job | null;
}

/** Where tasks are remembered: a port, implemented by each store. Ids are UUIDv7, so their order is that of creation. */
export abstract class TaskStore {
  /** False while writes are known to fail; it finds out by itself when they work again. */
  abstract get isWritable(): boolean;

  /** False once writes have failed for so long that others should be asked instead. */
  abstract get isReady(): boolean;

  /** Writes a finished task, its share of the totals and its callback's job; durable when it resolves. @throws StorageUnavailableError */
  abstract insert(task: TaskRecord, next?: Job | null): Promise<void>;

  /** Makes tasks durable before they run, all in one transaction. @throws StorageUnavailableError */
  abstract accept(tasks: readonly Acceptance[]): Promise<Accepted[]>;

  /** What an acceptance with this key would be a repeat of; null when it would be taken. @throws StorageUnavailableError */
  abstract heldBy(key: IdempotencyKey): Promise<Repeat | null>;

  /**
   * Takes back an acceptance whose task nobody has begun: no trace of a synchronous task that still runs remains, and
   * its key is free again. @throws StorageUnavailableError
   */
  abstract withdraw(id: string, key: IdempotencyKey): Promise<void>;

  /**
   * Moves a task on, if the state machine allows it from where the task stands, with its job and its share of the
   * totals, in one transaction. Resolves to the task as it is then, or null when the move was not legal.
   * @throws StorageUnavailableError
   */
  abstract settle(id: string, settlement: Settlement): Promise<TaskRecord | null>;

  /** Writes how the delivery of a callback goes. @throws StorageUnavailableError */
  abstract settleCallback(id: string, settlement: CallbackSettlement): Promise<void>;

  /** What processes that died since it was last asked left running, and the queue does not hand out again by itself. */
  abstract abandoned(): Promise<Abandoned[]>;

  abstract get(id: string): Promise<TaskRecord | null>;

  abstract list(query: TaskQuery): Promise<TaskPage>;

  /** Finished tasks ever; purging does not lower them. */
  abstract totals(): Promise<TaskTotals>;

  /** The durations of the last finished tasks, oldest first, ms. */
  abstract lastDurations(count: number): Promise<number[]>;

  /**
   * Removes some of the tasks that may not stay, and idempotency keys whose time is over, in one short write. Resolves to
   * how many; 0 when no more are left. @throws StorageUnavailableError
   */
  abstract purge(retention: Retention): Promise<number>;
}
