import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { TaskRecord, TaskStatus } from '../../tasks/task.js';
import type { Job, JobKind } from '../../tasks/task.queue.js';
import { SqliteMeta } from './sqlite.meta.js';
import { rowToTask, type Row } from '../task.rows.js';

/** Priorities are few, so the next job of a lane is one probe of the index for each: no scan, no sort. */
const PRIORITIES = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0];

/** To probe all priorities of a lane takes 12 µs, as long as to read so many jobs from the index. */
const JOBS_PER_PROBE = 200;

/** The jobs table: work that waits or runs. Every write here stands inside a group commit of somebody else. */
export class SqliteJobs {
  private readonly insert: StatementSync;
  private readonly deleteOne: StatementSync;
  private readonly deleteCallback: StatementSync;
  private readonly selectDue: StatementSync;
  private readonly selectNextDue: StatementSync;
  private readonly selectOldestDue: StatementSync;
  private readonly markRunning: StatementSync;
  private readonly markTaskRunning: StatementSync;
  private readonly markTaskQueued: StatementSync;
  private readonly selectTask: StatementSync;
  private readonly meta: SqliteMeta;

  constructor(private readonly database: DatabaseSync) {
    this.meta = new SqliteMeta(database);
    this.insert = database.prepare(
      `REPLACE INTO jobs (id, kind, lane, priority, due_at, deadline_at, attempts_before, delay_ms, interruptions, charged)
       VALUES (:id, :kind, :lane, :priority, :due_at, :deadline_at, :attempts_before, :delay_ms, :interruptions, :charged)`,
    );
    this.deleteOne = database.prepare('DELETE FROM jobs WHERE id = ?');
    this.deleteCallback = database.prepare(
      "DELETE FROM jobs WHERE id = ?1 AND kind = 'callback' AND (?2 IS NULL OR deadline_at = ?2)",
    );
    this.selectDue = database.prepare(
      'SELECT * FROM jobs WHERE running = 0 AND lane = ? AND priority = ? AND due_at <= ? ORDER BY due_at LIMIT ?',
    );
    this.selectNextDue = database.prepare(
      'SELECT due_at FROM jobs WHERE running = 0 AND lane = ? AND priority = ? ORDER BY due_at LIMIT 1',
    );
    this.selectOldestDue = database.prepare('SELECT min(due_at) AS due_at FROM jobs WHERE running = 0');
    this.markRunning = database.prepare('UPDATE jobs SET running = 1 WHERE id = ?');
    this.selectTask = database.prepare('SELECT * FROM tasks WHERE id = ?');
    this.markTaskQueued = database.prepare("UPDATE tasks SET status = 'queued' WHERE id = ? AND status = 'running' RETURNING *");
    this.markTaskRunning = database.prepare("UPDATE tasks SET status = 'running' WHERE id = ? AND status = 'queued' RETURNING *");
  }

  put(job: Job): void {
    const { id, kind, lane, priority, dueAt, deadlineAt, attemptsBefore, delayMs, interruptions, isCharged } = job;
    const times = { due_at: dueAt, deadline_at: deadlineAt, attempts_before: attemptsBefore, delay_ms: delayMs };
    this.insert.run({ id, kind, lane, priority, ...times, interruptions, charged: isCharged ? 1 : 0 });
  }

  /** True if there was one. */
  remove(id: string): boolean {
    return this.deleteOne.run(id).changes > 0;
  }

  /** True if there was one; the job of a task that is run again since stays, and so does the callback of another end of it. */
  removeCallback(id: string, lease: string | null): boolean {
    return this.deleteCallback.run(id, lease === null ? null : Number(lease)).changes > 0;
  }

  /** Lets a running job wait again, with its task; false when it is gone. */
  putBack(job: Job): boolean {
    if (!this.remove(job.id)) return false;
    this.put(job);
    if (job.kind === 'task') this.markTask(job.id, 'queued', this.markTaskQueued);
    return true;
  }

  /** The jobs that are marked as running. */
  running(): Job[] {
    return this.database.prepare('SELECT * FROM jobs WHERE running = 1').all().map(toJob);
  }

  /** Takes up to `limit` due jobs of a lane, the highest priority first; they are marked, so that a crash shows. */
  claim(lane: string, now: number, limit: number): { job: Job; task: TaskRecord }[] {
    const rows: Row[] = [];
    for (const priority of PRIORITIES) {
      if (rows.length === limit) break;
      // A `get` that finds nothing due costs 1 µs, an `all` 7: of ten priorities few are in use.
      if (this.nextDueOf(lane, priority) <= now) rows.push(...this.selectDue.all(lane, priority, now, limit - rows.length));
    }
    return rows.map(toJob).flatMap((job) => {
      this.markRunning.run(job.id);
      const task = job.kind === 'task' ? this.markTask(job.id, 'running', this.markTaskRunning) : this.taskOf(job.id);
      return task ? [{ job, task }] : [];
    });
  }

  private markTask(id: string, status: TaskStatus, mark: StatementSync): TaskRecord | null {
    const row = mark.get(id);
    if (!row) return null;
    const task = rowToTask(row);
    this.meta.move(id, task.meta, status);
    return task;
  }

  private taskOf(id: string): TaskRecord | null {
    const row = this.selectTask.get(id);
    return row ? rowToTask(row) : null;
  }

  /** When the next waiting job of a lane is due; Infinity for none. */
  nextDue(lane: string): number {
    return Math.min(...PRIORITIES.map((priority) => this.nextDueOf(lane, priority)));
  }

  /**
   * When the oldest waiting job is due; Infinity for none. Many lanes with a few jobs each are read in one go: 5,000 with
   * four take 0.6 ms so, and 60 one by one.
   * @param lanes those that it may be in @param most jobs that there are at the most
   */
  oldestDue(lanes: readonly string[], most: number): number {
    if (most <= lanes.length * JOBS_PER_PROBE) return Number(this.selectOldestDue.get()?.due_at ?? Infinity);
    return lanes.reduce((least, lane) => Math.min(least, this.nextDue(lane)), Infinity);
  }

  private nextDueOf(lane: string, priority: number): number {
    return Number(this.selectNextDue.get(lane, priority)?.due_at ?? Infinity);
  }

  /** Every lane in which jobs wait, and how many there are. */
  lanes(): { lane: string; jobs: number }[] {
    const rows = this.database.prepare('SELECT lane, COUNT(*) AS jobs FROM jobs GROUP BY lane').all();
    return rows.map((row) => ({ lane: String(row.lane), jobs: Number(row.jobs) }));
  }
}

/**
 * What a claim is held by. A callback is known by its deadline, which all its attempts share: a task that is run again ends
 * again, and has another one while an attempt of the first may still be under way. Of a task one run ends before the next.
 */
export const leaseOf = ({ kind, deadlineAt }: Job): string | null => (kind === 'callback' ? String(deadlineAt) : null);

function toJob(row: Row): Job {
  return {
    id: String(row.id),
    kind: String(row.kind) as JobKind,
    lane: String(row.lane),
    priority: Number(row.priority),
    dueAt: Number(row.due_at),
    deadlineAt: Number(row.deadline_at),
    attemptsBefore: Number(row.attempts_before),
    delayMs: Number(row.delay_ms),
    interruptions: Number(row.interruptions),
    isCharged: row.charged === 1,
  };
}
