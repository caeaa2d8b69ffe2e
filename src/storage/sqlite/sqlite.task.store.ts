import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../common/clock.js';
import type { TaskTotals } from '../../metrics/figures.js';
import { isFinal, TASK_STATUSES, type TaskRecord } from '../../tasks/task.js';
import type { Job } from '../../tasks/task.queue.js';
import {
  TaskStore,
  type Abandoned,
  type Acceptance,
  type Accepted,
  type CallbackSettlement,
  type IdempotencyKey,
  type Repeat,
  type Retention,
  type Settlement,
  type TaskPage,
  type TaskQuery,
} from '../../tasks/task.store.js';
import type { GroupCommit } from './group.commit.js';
import { SqliteKeys } from './sqlite.keys.js';
import { SqliteRetention } from './sqlite.retention.js';
import { SqliteTaskLists } from './sqlite.task.lists.js';
import type { SqliteTaskQueue } from './sqlite.task.queue.js';
import { SqliteTasks } from './sqlite.tasks.js';
import { SqliteTotals } from './sqlite.totals.js';
import { repeatOf } from '../key.holder.js';

/** Tasks in SQLite: writes go through the group commit, reads see what is committed, and are told of it after its writers. */
export class SqliteTaskStore extends TaskStore {
  private readonly tasks: SqliteTasks;
  private readonly lists: SqliteTaskLists;
  private readonly keys: SqliteKeys;
  private readonly sums: SqliteTotals;
  private readonly retention: SqliteRetention;
  /** Left behind by the process before; ours are never found here, for no other process writes this file. */
  private isLookedThrough = false;

  constructor(
    database: DatabaseSync,
    private readonly commits: GroupCommit,
    private readonly queue: SqliteTaskQueue,
    private readonly clock: Clock,
  ) {
    super();
    this.tasks = new SqliteTasks(database);
    this.lists = new SqliteTaskLists(database, this.tasks);
    this.keys = new SqliteKeys(database);
    this.sums = new SqliteTotals(database);
    this.retention = new SqliteRetention(database, { tasks: this.tasks, jobs: queue.jobs, keys: this.keys, clock });
    commits.endWith(this.sums);
  }

  get isWritable(): boolean {
    return this.commits.isWritable;
  }

  get isReady(): boolean {
    return this.isWritable;
  }

  async insert(task: TaskRecord, next: Job | null = null): Promise<void> {
    await this.commits.write(
      () => {
        this.tasks.insert(task);
        this.sums.add(task);
        if (next) this.queue.jobs.put(next);
      },
      () => (this.tasks.stored += 1),
    );
    if (next) this.queue.added(next);
  }

  async accept(acceptances: readonly Acceptance[]): Promise<Accepted[]> {
    const accepted = await this.commits.write(
      () => acceptances.map((each) => this.acceptOne(each)),
      (results) => (this.tasks.stored += results.filter(({ kind }) => kind === 'accepted').length),
    );
    accepted.forEach(({ kind }, index) => {
      if (kind !== 'accepted') return;
      const job = acceptances[index]?.job;
      if (job) this.queue.added(job);
    });
    return accepted;
  }

  heldBy(key: IdempotencyKey): Promise<Repeat | null> {
    return Promise.resolve(this.repeat(key));
  }

  async withdraw(id: string, key: IdempotencyKey): Promise<void> {
    await this.commits.write(
      () => {
        if (this.tasks.get(id)?.status !== 'running') return 0;
        this.keys.remove(key, id);
        this.tasks.remove([id]);
        return 1;
      },
      (removed) => (this.tasks.stored -= removed),
    );
  }

  async settle(id: string, { change, next, from = TASK_STATUSES }: Settlement): Promise<TaskRecord | null> {
    const { task, hadJob } = await this.commits.write(() => {
      const before = this.tasks.get(id);
      const after = before && from.includes(before.status) ? this.tasks.move(before, change) : null;
      if (!before || !after) return { task: null, hadJob: false };
      this.sums.subtract(before);
      this.sums.add(after);
      const removed = this.queue.jobs.remove(id);
      if (next) this.queue.jobs.put(next);
      return { task: after, hadJob: removed };
    });
    if (hadJob) this.queue.removed();
    if (task && next) this.queue.added(next);
    return task;
  }

  async settleCallback(id: string, { callback, next, lease }: CallbackSettlement): Promise<void> {
    const settled = await this.commits.write(() => {
      const task = this.tasks.get(id);
      // A retry has taken the task back since: what its callback came to is of no interest any more.
      if (!task || !isFinal(task.status)) return null;
      const hadJob = this.queue.jobs.removeCallback(id, lease);
      // It has ended anew since, and tells of that by another callback.
      if (lease !== null && !hadJob) return null;
      this.tasks.setCallback(id, callback);
      if (next) this.queue.jobs.put(next);
      return { hadJob };
    });
    if (settled?.hadJob) this.queue.removed();
    if (settled && next) this.queue.added(next);
  }

  abandoned(): Promise<Abandoned[]> {
    if (this.isLookedThrough) return Promise.resolve([]);
    this.isLookedThrough = true;
    const jobs = new Map(this.queue.jobs.running().map((job) => [job.id, job]));
    const ids = new Set([...jobs.keys(), ...this.tasks.running()]);
    const found = [...ids].map((id) => ({ task: this.tasks.get(id), job: jobs.get(id) ?? null }));
    return Promise.resolve(found.flatMap(({ task, job }) => (task ? [{ task, job }] : [])));
  }

  get(id: string): Promise<TaskRecord | null> {
    return this.commits.inTurn(this.tasks.get(id));
  }

  list(query: TaskQuery): Promise<TaskPage> {
    return this.commits.inTurn(this.lists.page(query));
  }

  totals(): Promise<TaskTotals> {
    return Promise.resolve(this.sums.read());
  }

  lastDurations(count: number): Promise<number[]> {
    return Promise.resolve(this.tasks.lastDurations(count));
  }

  async purge(retention: Retention): Promise<number> {
    const { tasks, jobs, keys } = await this.commits.write(
      () => this.retention.step(retention),
      (removed) => (this.tasks.stored -= removed.tasks),
    );
    for (let i = 0; i < jobs; i++) this.queue.removed();
    return tasks + keys;
  }

  private acceptOne({ task, job, key }: Acceptance): Accepted {
    const repeat = key && this.repeat(key);
    if (repeat) return repeat;
    if (key) this.keys.put(key, task.id);
    this.tasks.insert(task);
    if (job) this.queue.jobs.put(job);
    return { kind: 'accepted' };
  }

  /** The key of a task that was purged stands for nothing. */
  private repeat(key: IdempotencyKey): Repeat | null {
    const holder = this.keys.holder(key, this.clock.now());
    const task = holder && this.tasks.get(holder.taskId);
    return task && repeatOf({ task, fingerprint: holder.fingerprint }, key);
  }
}
