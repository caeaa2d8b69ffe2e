import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { TaskTotals } from '../../metrics/metrics.js';
import type { TaskRecord } from '../../tasks/task.js';

const COUNTED = ['success', 'error', 'timeout'];
const COLUMNS = [...COUNTED, 'retries', 'retried_to_success', 'retried_to_failure'];

/** The sums over finished tasks ever. Every write here stands inside a group commit of somebody else. */
export class SqliteTotals {
  private readonly update: StatementSync;
  private readonly select: StatementSync;

  constructor(database: DatabaseSync) {
    this.update = database.prepare(`UPDATE task_totals SET ${COLUMNS.map((name) => `${name} = ${name} + :${name}`).join(', ')}`);
    this.select = database.prepare('SELECT * FROM task_totals');
  }

  /** Counts a task's share; one that is not final, or was cancelled, has none. */
  add(task: TaskRecord): void {
    if (COUNTED.includes(task.status)) this.update.run(shareOf(task, 1));
  }

  /** Takes a task's share back: it is run again. */
  subtract(task: TaskRecord): void {
    if (COUNTED.includes(task.status)) this.update.run(shareOf(task, -1));
  }

  read(): TaskTotals {
    const row = this.select.get() ?? {};
    const count = (name: string): number => Number(row[name]);
    return {
      success: count('success'),
      error: count('error'),
      timeout: count('timeout'),
      retries: count('retries'),
      retriedToSuccess: count('retried_to_success'),
      retriedToFailure: count('retried_to_failure'),
    };
  }
}

function shareOf({ status, retryCount }: TaskRecord, sign: 1 | -1): Record<string, number> {
  const isRetriedTo = (success: boolean): number => (retryCount > 0 && (status === 'success') === success ? sign : 0);
  return {
    ...{ success: 0, error: 0, timeout: 0, [status]: sign },
    retries: sign * retryCount,
    retried_to_success: isRetriedTo(true),
    retried_to_failure: isRetriedTo(false),
  };
}
