import type { Clock } from '../../common/clock.js';
import type { TaskTotals } from '../../metrics/figures.js';
import type { TaskRecord } from '../../tasks/task.js';
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
import { repeatOf } from '../key.holder.js';
import type { Row } from '../task.rows.js';
import { NO_SUMS, SUMS, totalsOf, type Sums } from '../task.totals.js';
import { GroupCommit } from './group.commit.js';
import { SCHEMA } from './migrations.js';
import { keyHolders, keyName } from './postgres.keys.js';
import type { PostgresConnection } from './postgres.connection.js';
import type { PostgresTaskQueue } from './postgres.task.queue.js';
import { fromRow, listTasks } from './postgres.tasks.js';
import { ReadBatch } from './read.batch.js';
import type { Replica } from './replica.js';
import type { StoreHealth } from './store.health.js';
import { jobsOf, TaskBatch, type Settled, type TaskWrite } from './task.batch.js';
import { purgeTasks } from './task.purge.js';
import { withdrawTask } from './task.withdrawal.js';
import type { CommitListener } from '../storage.parts.js';
import { hasFilters, pageOf } from '../task.page.js';
import { countStatement, pageStatement } from './task.query.js';

/** A replica that was silent for this long has lost the callers that waited for it, unless the store was away meanwhile. */
const DEAD_AFTER_MS = 15_000;

/** What the store is made of. */
export interface StoreParts {
  readonly connection: PostgresConnection;
  readonly queue: PostgresTaskQueue;
  readonly replica: Replica;
  readonly health: StoreHealth;
  readonly clock: Clock;
  readonly onCommit?: CommitListener;
}

/** Tasks in PostgreSQL, shared by all replicas: writes go through the group commit, reads see what is committed. */
export class PostgresTaskStore extends TaskStore {
  /** What is taken in, and what comes of it: neither waits for the other's transaction. */
  private readonly intake: GroupCommit<TaskWrite>;
  private readonly outcomes: GroupCommit<TaskWrite>;
  private readonly reads: ReadBatch;
  private readonly connection: PostgresConnection;

  constructor(private readonly parts: StoreParts) {
    super();
    this.connection = parts.connection;
    this.reads = new ReadBatch(parts.connection);
    const doubt = (writes: readonly TaskWrite[]): void => parts.replica.doubt(acceptedIds(writes));
    const { health, clock, onCommit } = parts;
    const commits = () => new GroupCommit<TaskWrite>((...batch) => this.commit(...batch), doubt, health, clock, onCommit);
    [this.intake, this.outcomes] = [commits(), commits()];
  }

  get isWritable(): boolean {
    return this.parts.health.isWritable;
  }

  get isReady(): boolean {
    return this.parts.health.isReady;
  }

  async insert(task: TaskRecord, next: Job | null = null): Promise<void> {
    await this.outcomes.write({ kind: 'insert', task, next });
    if (next) this.parts.queue.added(next);
  }

  async accept(acceptances: readonly Acceptance[]): Promise<Accepted[]> {
    const accepted = (await this.intake.write({ kind: 'accept', acceptances })) as Accepted[];
    accepted.forEach(({ kind }, index) => {
      const job = acceptances[index]?.job;
      if (kind === 'accepted' && job) this.parts.queue.added(job);
    });
    return accepted;
  }

  async heldBy(key: IdempotencyKey): Promise<Repeat | null> {
    const holders = await keyHolders([key], this.parts.clock.now(), this.connection);
    const holder = holders.get(keyName(key));
    return holder ? repeatOf(holder, key) : null;
  }

  async withdraw(id: string, key: IdempotencyKey): Promise<void> {
    await withdrawTask(this.connection, { id, key, slot: this.parts.replica.slot });
  }

  async settle(id: string, settlement: Settlement): Promise<TaskRecord | null> {
    return this.settled(await this.outcomes.write({ kind: 'settle', id, settlement }), settlement.next);
  }

  async settleCallback(id: string, settlement: CallbackSettlement): Promise<void> {
    this.settled(await this.outcomes.write({ kind: 'callback', id, settlement }), settlement.next);
  }

  /** The tasks of callers whose replica died; the jobs of one that dies are handed out again by pg-boss. */
  async abandoned(): Promise<Abandoned[]> {
    const text = `
      SELECT * FROM ${SCHEMA}.tasks AS t
      WHERE status = 'running' AND owner IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM ${SCHEMA}.replicas AS r WHERE r.id = t.owner AND ($1 OR r.seen_at > now() - $2 * interval '1 ms')
      ) LIMIT 1000`;
    const isSilenceExcused = !this.parts.health.hasWorkedFor(DEAD_AFTER_MS);
    const rows = await this.connection.query<Row>({ text, values: [isSilenceExcused, DEAD_AFTER_MS] });
    return rows.map((row) => ({ task: fromRow(row).task, job: null }));
  }

  get(id: string): Promise<TaskRecord | null> {
    return this.reads.get(id);
  }

  async list(query: TaskQuery): Promise<TaskPage> {
    const [ids, total] = await Promise.all([this.page(query), this.total(query)]);
    return pageOf(query, { ids, total, tasks: await listTasks(ids.slice(0, query.limit), this.connection) });
  }

  async totals(): Promise<TaskTotals> {
    const sums = SUMS.map((name) => `COALESCE(sum(${name}), 0)::bigint AS ${name}`).join(', ');
    const [row] = await this.connection.query<Sums>({ text: `SELECT ${sums} FROM ${SCHEMA}.task_totals` });
    return totalsOf(row ?? NO_SUMS);
  }

  async lastDurations(count: number): Promise<number[]> {
    const text = `
      SELECT duration_ms FROM ${SCHEMA}.tasks WHERE completed_at IS NOT NULL AND status <> 'cancelled'
      ORDER BY completed_at DESC LIMIT $1`;
    const rows = await this.connection.query<{ duration_ms: number }>({ text, values: [count] });
    return rows.map(({ duration_ms }) => duration_ms).reverse();
  }

  purge(retention: Retention): Promise<number> {
    const { queue, replica, clock } = this.parts;
    return purgeTasks(this.connection, { retention, jobs: queue.jobs, slot: replica.slot, now: clock.now() });
  }

  /** Resolves when every write has been answered. */
  async idle(): Promise<void> {
    await Promise.all([this.intake.idle(), this.outcomes.idle()]);
  }

  private settled(result: unknown, next: Job | null): TaskRecord | null {
    const { task, hadJob } = result as Settled;
    if (hadJob) this.parts.queue.removed();
    if (task && next) this.parts.queue.added(next);
    return task;
  }

  private async commit(writes: readonly TaskWrite[], over: AbortSignal): Promise<unknown[]> {
    const { queue, replica, clock } = this.parts;
    await queue.jobs.prepare(jobsOf(writes));
    const context = { jobs: queue.jobs, replica: replica.id, slot: replica.slot, clock };
    const batch = new TaskBatch(writes, context);
    if (batch.isPlain) return batch.run(this.connection);
    return this.connection.transaction(async (session) => {
      const results = await batch.run(session);
      over.throwIfAborted();
      return results;
    });
  }

  private async page(query: TaskQuery): Promise<string[]> {
    return (await this.connection.query<{ id: string }>(pageStatement(query))).map(({ id }) => id);
  }

  private async total(query: TaskQuery): Promise<number> {
    const all = { text: `SELECT COALESCE(sum(tasks), 0)::bigint AS total FROM ${SCHEMA}.task_totals` };
    const [row] = await this.connection.query<{ total: number }>(hasFilters(query) ? countStatement(query) : all);
    return row?.total ?? 0;
  }
}

/** The tasks that a caller of these writes was to be told of. */
const acceptedIds = (writes: readonly TaskWrite[]): string[] =>
  writes.flatMap((write) => (write.kind === 'accept' ? write.acceptances.map(({ task }) => task.id) : []));
