import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { TaskTotals } from '../../metrics/figures.js';
import type { TaskRecord } from '../../tasks/task.js';
import { addShare, NO_SUMS, SUMS, totalsOf, type Sums } from '../task.totals.js';
import type { CommitPart } from './group.commit.js';

/**
 * The sums over finished tasks ever. Every share is added inside a group commit of somebody else, and written at its end
 * with the others: an update a task was 2 % of a task's CPU.
 */
export class SqliteTotals implements CommitPart {
  private readonly update: StatementSync;
  private readonly select: StatementSync;
  /** What the shares of this commit come to. */
  private gathered: Sums | null = null;

  constructor(database: DatabaseSync) {
    this.update = database.prepare(`UPDATE task_totals SET ${SUMS.map((name) => `${name} = ${name} + ?`).join(', ')}`);
    this.select = database.prepare(`SELECT ${SUMS.join(', ')} FROM task_totals`);
  }

  /** Counts a task's share. */
  add(task: TaskRecord): void {
    addShare((this.gathered ??= { ...NO_SUMS }), task, 1);
  }

  /** Takes a task's share back: it is run again. */
  subtract(task: TaskRecord): void {
    addShare((this.gathered ??= { ...NO_SUMS }), task, -1);
  }

  finish(): void {
    const { gathered } = this;
    this.gathered = null;
    if (gathered) this.update.run(...SUMS.map((name) => gathered[name]));
  }

  undo(): void {
    this.gathered = null;
  }

  read(): TaskTotals {
    return totalsOf(this.select.get() as Sums);
  }
}
