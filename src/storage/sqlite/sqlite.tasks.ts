import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { KEPT_BYTES } from '../../tasks/stored.body.js';
import { MOVES, type CallbackState, type TaskChange, type TaskRecord } from '../../tasks/task.js';
import { SqliteMeta } from './sqlite.meta.js';
import { rowToTask, taskToRow } from '../task.rows.js';

const FIXED = ['id', 'caller', 'droplet_name', 'droplet_key', 'method', 'path', 'created_at', 'meta', 'priority'];
const CHANGING = [
  ...['target_url', 'status', 'response_status', 'response_body', 'retry_count', 'attempts', 'completed_at', 'duration_ms'],
  ...['error', 'history', 'run_at', 'callback', 'request'],
];
const COLUMNS = [...FIXED, ...CHANGING];

/** What a list shows: no history, no request, and of a large body only its size. */
const LISTED = [
  ...COLUMNS.filter((column) => !['history', 'request', 'response_body'].includes(column)),
  'octet_length(response_body) AS response_bytes',
  `CASE WHEN octet_length(response_body) <= ${KEPT_BYTES} THEN response_body END AS response_body`,
].join(', ');

/** Which final tasks a purge looks for. */
interface Oldest {
  /** How many may go whatever their age. */
  readonly surplus: number;
  readonly completedSince: number;
  readonly limit: number;
}

/** The tasks table. Every write here stands inside a group commit of somebody else. */
export class SqliteTasks {
  /** How many tasks are stored: counting a million rows at each list would take longer than the list. */
  stored: number;
  private readonly insertTask: StatementSync;
  private readonly updateTask: StatementSync;
  private readonly meta: SqliteMeta;
  private readonly selectTask: StatementSync;
  private readonly updateCallback: StatementSync;

  constructor(private readonly database: DatabaseSync) {
    const changes = CHANGING.map((column) => `${column} = ?`).join(', ');
    this.insertTask = database.prepare(`INSERT INTO tasks (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map(() => '?').join(', ')})`);
    this.updateTask = database.prepare(`UPDATE tasks SET ${changes} WHERE id = ?`);
    this.meta = new SqliteMeta(database);
    this.selectTask = database.prepare('SELECT * FROM tasks WHERE id = ?');
    this.updateCallback = database.prepare('UPDATE tasks SET callback = ? WHERE id = ?');
    this.stored = Number(database.prepare('SELECT COUNT(*) AS value FROM tasks').get()?.value);
  }

  insert(task: TaskRecord): void {
    this.insertTask.run(...valuesOf(task, COLUMNS));
    this.meta.insert(task);
  }

  get(id: string): TaskRecord | null {
    const row = this.selectTask.get(id);
    return row ? rowToTask(row) : null;
  }

  /** The task after a change, or null when the state machine does not allow the move. */
  move(task: TaskRecord, change: TaskChange): TaskRecord | null {
    if (!MOVES[task.status].includes(change.status)) return null;
    const after = { ...task, ...change, id: task.id, createdAt: task.createdAt };
    this.updateTask.run(...valuesOf(after, CHANGING), task.id);
    if (after.status !== task.status) this.meta.move(task.id, task.meta, after.status);
    return after;
  }

  setCallback(id: string, callback: CallbackState): void {
    this.updateCallback.run(JSON.stringify(callback), id);
  }

  /** The ids of the tasks that are marked as running. */
  running(): string[] {
    return this.database
      .prepare("SELECT id FROM tasks WHERE status = 'running'")
      .all()
      .map(({ id }) => String(id));
  }

  /** Newest first. */
  listed(ids: readonly string[]): TaskRecord[] {
    const text = `SELECT ${LISTED} FROM tasks WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id DESC`;
    return this.database.prepare(text).all(JSON.stringify(ids)).map(rowToTask);
  }

  /** Oldest first. */
  lastDurations(count: number): number[] {
    const text =
      "SELECT duration_ms FROM tasks WHERE completed_at IS NOT NULL AND status <> 'cancelled' ORDER BY completed_at DESC LIMIT ?";
    return this.database
      .prepare(text)
      .all(count)
      .map((row) => Number(row.duration_ms))
      .reverse();
  }

  oldestFinal({ surplus, completedSince, limit }: Oldest): string[] {
    const oldest = (condition: string, count: number): string =>
      `SELECT id FROM (SELECT id FROM tasks WHERE completed_at ${condition} ORDER BY completed_at LIMIT ${count})`;
    const text = `${oldest('IS NOT NULL', surplus)} UNION ${oldest('< ?', limit)}`;
    return this.database
      .prepare(text)
      .all(completedSince)
      .map(({ id }) => String(id));
  }

  remove(ids: readonly string[]): void {
    const list = JSON.stringify(ids);
    // Not by json_each: SQLite reads a lone surrogate out of JSON otherwise than it was bound when it was inserted.
    for (const task of this.listed(ids)) this.meta.remove(task);
    this.database.prepare('DELETE FROM tasks WHERE id IN (SELECT value FROM json_each(?))').run(list);
  }
}

/** By position: by name, SQLite looks for each of them among the parameters, and an insert takes half as long again. */
function valuesOf(task: TaskRecord, columns: readonly string[]): (string | number | null)[] {
  const row = taskToRow(task);
  return columns.map((column) => row[column] ?? null);
}
