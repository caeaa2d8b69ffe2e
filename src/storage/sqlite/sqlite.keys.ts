import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { IdempotencyKey } from '../../tasks/task.store.js';

/** What a kept key stands for. */
interface Holder {
  readonly taskId: string;
  readonly fingerprint: string;
}

/** The idempotency keys. Every write here stands inside a group commit of somebody else. */
export class SqliteKeys {
  private readonly select: StatementSync;
  private readonly replace: StatementSync;
  private readonly deleteOne: StatementSync;
  private readonly deleteExpired: StatementSync;

  constructor(database: DatabaseSync) {
    this.select = database.prepare('SELECT * FROM idempotency_keys WHERE caller = ? AND key = ? AND expires_at > ?');
    this.replace = database.prepare(
      'REPLACE INTO idempotency_keys (caller, key, fingerprint, task_id, expires_at) VALUES (?, ?, ?, ?, ?)',
    );
    this.deleteOne = database.prepare('DELETE FROM idempotency_keys WHERE caller = ? AND key = ? AND task_id = ?');
    this.deleteExpired = database.prepare(
      `DELETE FROM idempotency_keys WHERE (caller, key) IN
       (SELECT caller, key FROM idempotency_keys WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
    );
  }

  holder({ caller, key }: IdempotencyKey, now: number): Holder | null {
    const row = this.select.get(caller, key, now);
    return row ? { taskId: String(row.task_id), fingerprint: String(row.fingerprint) } : null;
  }

  put({ caller, key, fingerprint, expiresAt }: IdempotencyKey, taskId: string): void {
    this.replace.run(caller, key, fingerprint, taskId, expiresAt);
  }

  /** The key, if it stands for this task. */
  remove({ caller, key }: IdempotencyKey, taskId: string): void {
    this.deleteOne.run(caller, key, taskId);
  }

  /** Removes up to so many keys whose time is over; returns how many. */
  removeExpired(now: number, limit: number): number {
    return Number(this.deleteExpired.run(now, limit).changes);
  }
}
