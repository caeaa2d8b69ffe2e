import { randomUUID } from 'node:crypto';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { backup, DatabaseSync } from 'node:sqlite';
import { refuseForeign, syncFolder, UnusableDatabaseError } from './database.js';

/** How long a step waits for the server, which shuts readers out only while it opens and closes its database. */
const BUSY_MS = 10_000;

/** More pages than any database of ours has; Node takes no -1 for "all". */
const ALL_PAGES = 2 ** 31 - 1;

/** The copy cannot be made; the message says what to do. */
export class BackupError extends Error {}

/**
 * Copies a database to a new file, also while a server works on it: all that was committed when it began is in the copy,
 * nothing half. The copy is one file that a server starts from, flushed to the disk before it gets its name.
 * @throws BackupError, UnusableDatabaseError
 */
export async function backupDatabase(file: string, target: string): Promise<void> {
  if (!existsSync(file)) throw new BackupError(`There is no database ${file}: DATABASE_URL must name the server's own`);
  refuseExisting(target);
  const unborn = `${target}.${randomUUID()}.part`;
  try {
    await copy(file, unborn);
    makeWhole(unborn);
    refuseExisting(target);
    renameSync(unborn, target);
    syncFolder(target);
  } finally {
    for (const end of ['', '-journal', '-wal', '-shm']) rmSync(unborn + end, { force: true });
  }
}

function refuseExisting(target: string): void {
  if (existsSync(target)) throw new BackupError(`${target} exists already: name a new file`);
}

async function copy(file: string, target: string): Promise<void> {
  const source = new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS });
  try {
    refuseForeign(source, file);
    // All pages in one step, which is one read transaction: between two steps, each write of the server would start it afresh.
    await backup(source, target, { rate: ALL_PAGES });
  } catch (error) {
    if (error instanceof UnusableDatabaseError) throw error;
    throw new BackupError(`The database ${file} cannot be copied to ${target} (${(error as Error).message})`, { cause: error });
  } finally {
    source.close();
  }
}

/** Makes the copy a plain file that needs no others beside it. @throws BackupError when it is damaged, as then its source is */
function makeWhole(copied: string): void {
  const database = new DatabaseSync(copied);
  try {
    database.exec('PRAGMA journal_mode = DELETE');
    const found = database.prepare('PRAGMA integrity_check(1)').get()?.integrity_check;
    if (found !== 'ok') throw new BackupError(`The database is damaged (${String(found)}): no copy was kept`);
  } finally {
    database.close();
  }
}
