import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { TaskRecord } from '../../tasks/task.js';

type Meta = TaskRecord['meta'];

/**
 * The pairs of `meta`, by which tasks are found. Each carries its task's droplet and status too, so that a list by
 * `meta` and one of those reads one range of one table. Every write here stands inside a group commit of somebody else.
 */
export class SqliteMeta {
  private readonly insertPair: StatementSync;
  private readonly updatePair: StatementSync;
  private readonly deletePair: StatementSync;

  constructor(database: DatabaseSync) {
    const pair = 'key = ? AND value = ? AND id = ?';
    // Keys that differ only in lone surrogates are one to SQLite: the first one is found.
    this.insertPair = database.prepare(
      'INSERT OR IGNORE INTO task_meta (key, value, id, droplet_key, status) VALUES (?, ?, ?, ?, ?)',
    );
    this.updatePair = database.prepare(`UPDATE task_meta SET status = ? WHERE ${pair}`);
    this.deletePair = database.prepare(`DELETE FROM task_meta WHERE ${pair}`);
  }

  insert({ id, meta, dropletName, status }: TaskRecord): void {
    for (const [key, value] of pairs(meta)) this.insertPair.run(key, value, id, dropletName.toLowerCase(), status);
  }

  /** The task's status has changed. */
  move(id: string, meta: Meta, status: string): void {
    for (const [key, value] of pairs(meta)) this.updatePair.run(status, key, value, id);
  }

  remove({ id, meta }: TaskRecord): void {
    for (const [key, value] of pairs(meta)) this.deletePair.run(key, value, id);
  }
}

const pairs = (meta: Meta): [string, string][] => Object.entries(meta ?? {});
