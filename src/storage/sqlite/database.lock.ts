import { DatabaseSync } from 'node:sqlite';

/** Another process works on the database file. */
export class DatabaseInUseError extends Error {
  constructor(file: string) {
    super(`The database ${file} is in use by another process: stop that one, or give this one a file of its own`);
  }
}

/**
 * Keeps a second process off a database file: an exclusive transaction on `<file>.lock`, held for life and let go by
 * the operating system however the process ends. On the database itself it would also shut out a live backup.
 * @throws DatabaseInUseError
 */
export function lockDatabase(file: string): DatabaseSync {
  const lock = new DatabaseSync(`${file}.lock`, { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    throw isBusy(error) ? new DatabaseInUseError(file) : error;
  }
}

/** SQLITE_BUSY; anything else says something about the lock file itself. */
const isBusy = (error: unknown): boolean => (error as { errcode?: unknown }).errcode === 5;
