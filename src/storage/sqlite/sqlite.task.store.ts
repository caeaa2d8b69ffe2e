import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { TaskTotals } from '../../metrics/metrics.js';
import type { TaskRecord } from '../../tasks/task.js';
import { firstIdOf } from '../../tasks/task.id.js';
import { TaskStore, type Retention, type TaskPage, type TaskQuery } from '../../tasks/task.store.js';
import type { GroupCommit } from './group.commit.js';
import { COUNTED, countSql, hasFilters, pageSql, type Sql } from './task.query.js';
import { rowToTask, taskToRow } from './task.rows.js';

const COLUMNS = [
  ...['id', 'droplet_name', 'droplet_key', 'target_url', 'method', 'path', 'status', 'response_status', 'response_body'],
  ...['retry_count', 'attempts', 'created_at', 'completed_at', 'duration_ms', 'error', 'meta', 'priority', 'history'],
];
const LISTED = COLUMNS.filter((column) => column !== 'history').join(', ');

/** Tasks that one purge removes at the most: a write of a few milliseconds, in which no other waits long. */
const PURGE_STEP = 200;

/** Tasks in SQLite: writes go through the group commit, reads see what is committed. */
export class SqliteTaskStore extends TaskStore {
  private readonly insertTask: StatementSync;
  private readonly insertMeta: StatementSync;
  private readonly deleteMeta: StatementSync;
  private readonly addToTotals: StatementSync;
  private readonly selectTask: StatementSync;
  /** How many tasks are stored: counting a million rows at each list would take longer than the list. */
  private stored: number;

  constructor(
    private readonly database: DatabaseSync,
    private readonly commits: GroupCommit,
  ) {
    super();
    const names = COLUMNS.map((column) => `:${column}`).join(', ');
    this.insertTask = database.prepare(`INSERT INTO tasks (${COLUMNS.join(', ')}) VALUES (${names})`);
    this.insertMeta = database.prepare('INSERT INTO task_meta (key, value, id) VALUES (?, ?, ?)');
    this.deleteMeta = database.prepare('DELETE FROM task_meta WHERE key = ? AND value = ? AND id = ?');
    this.addToTotals = database.prepare(`
      UPDATE task_totals SET success = success + :success, error = error + :error, timeout = timeout + :timeout,
        retries = retries + :retries, retried_to_success = retried_to_success + :retried_to_success,
        retried_to_failure = retried_to_failure + :retried_to_failure`);
    this.selectTask = database.prepare('SELECT * FROM tasks WHERE id = ?');
    this.stored = this.number('SELECT COUNT(*) AS value FROM tasks');
  }

  get isWritable(): boolean {
    return this.commits.isWritable;
  }

  async insert(task: TaskRecord): Promise<void> {
    await this.commits.write(() => {
      this.insertTask.run(taskToRow(task));
      for (const [key, value] of Object.entries(task.meta ?? {})) this.insertMeta.run(key, value, task.id);
      this.addToTotals.run(shareOfTotals(task));
    });
    this.stored++;
  }

  get(id: string): Promise<TaskRecord | null> {
    const row = this.selectTask.get(id);
    return Promise.resolve(row ? rowToTask(row) : null);
  }

  list(query: TaskQuery): Promise<TaskPage> {
    const ids = this.all(pageSql(query)).map(({ id }) => String(id));
    const total = hasFilters(query) ? Number(this.all(countSql(query))[0]?.total) : this.stored;
    const isTotalExact = !hasFilters(query) || total <= COUNTED;
    return Promise.resolve({
      tasks: this.tasks(ids.slice(0, query.limit)),
      total: isTotalExact ? total : COUNTED,
      isTotalExact,
      hasMore: ids.length > query.limit,
    });
  }

  totals(): Promise<TaskTotals> {
    const row = this.database.prepare('SELECT * FROM task_totals').get() ?? {};
    const count = (name: string): number => Number(row[name]);
    return Promise.resolve({
      success: count('success'),
      error: count('error'),
      timeout: count('timeout'),
      retries: count('retries'),
      retriedToSuccess: count('retried_to_success'),
      retriedToFailure: count('retried_to_failure'),
    });
  }

  lastDurations(count: number): Promise<number[]> {
    const rows = this.all({ text: 'SELECT duration_ms FROM tasks ORDER BY id DESC LIMIT ?', values: [count] });
    return Promise.resolve(rows.map((row) => Number(row.duration_ms)).reverse());
  }

  async purge({ maxTasks, createdSince, maxBytes }: Retention): Promise<number> {
    const tooMany = this.stored - maxTasks;
    const isTooLarge = this.usedBytes() > maxBytes;
    const surplus = Math.min(PURGE_STEP, isTooLarge ? PURGE_STEP : Math.max(0, tooMany));
    const ids = this.all({
      text: `SELECT id FROM (SELECT id FROM tasks ORDER BY id LIMIT ${surplus})
        UNION SELECT id FROM (SELECT id FROM tasks WHERE id < ? ORDER BY id LIMIT ${PURGE_STEP})`,
      values: [firstIdOf(createdSince)],
    }).map(({ id }) => String(id));
    if (ids.length > 0) await this.commits.write(() => this.remove(ids));
    this.stored -= ids.length;
    return ids.length;
  }

  private remove(ids: readonly string[]): void {
    const list = JSON.stringify(ids);
    // Not by json_each: SQLite reads a lone surrogate out of JSON otherwise than it was bound when it was inserted.
    for (const { id, meta } of this.tasks(ids)) {
      for (const [key, value] of Object.entries(meta ?? {})) this.deleteMeta.run(key, value, id);
    }
    this.database.prepare('DELETE FROM tasks WHERE id IN (SELECT value FROM json_each(?))').run(list);
  }

  /** Bytes in use: pages that a purge has freed are used again before the file grows. */
  private usedBytes(): number {
    const pragma = (name: string): number => this.number(`SELECT ${name} AS value FROM pragma_${name}`);
    return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
  }

  private tasks(ids: readonly string[]): TaskRecord[] {
    const text = `SELECT ${LISTED} FROM tasks WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id DESC`;
    return this.all({ text, values: [JSON.stringify(ids)] }).map(rowToTask);
  }

  private all({ text, values }: Sql) {
    return this.database.prepare(text).all(...values);
  }

  private number(text: string): number {
    return Number(this.database.prepare(text).get()?.value);
  }
}

function shareOfTotals({ status, retryCount }: TaskRecord): Record<string, number> {
  const isSuccess = status === 'success';
  return {
    ...{ success: 0, error: 0, timeout: 0, [status]: 1 },
    retries: retryCount,
    retried_to_success: retryCount > 0 && isSuccess ? 1 : 0,
    retried_to_failure: retryCount > 0 && !isSuccess ? 1 : 0,
  };
}
