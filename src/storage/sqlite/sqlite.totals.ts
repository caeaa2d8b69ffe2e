import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { TaskTotals } from '../../metrics/figures.js';
import type { TaskRecord } from '../../tasks/task.js';
import { isCounted, shareOf, SUMS, totalsOf, type Sums } from '../task.totals.js';

/** The sums over finished tasks ever. Every write here stands inside a group commit of somebody else. */
export class SqliteTotals {
  private readonly update: StatementSync;
  private readonly select: StatementSync;

  constructor(database: DatabaseSync) {
    this.update = database.prepare(`UPDATE task_totals SET ${SUMS.map((name) => `${name} = ${name} + :${name}`).join(', ')}`);
    this.select = database.prepare(`SELECT ${SUMS.join(', ')} FROM task_totals`);
  }

  /** Counts a task's share. */
  add(task: TaskRecord): void {
    if (isCounted(task)) this.update.run(shareOf(task, 1));
  }

  /** Takes a task's share back: it is run again. */
  subtract(task: TaskRecord): void {
    if (isCounted(task)) this.update.run(shareOf(task, -1));
  }

  read(): TaskTotals {
    return totalsOf(this.select.get() as Sums);
  }
}
