import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DatabaseInUseError, lockDatabase } from './database.lock.js';
import { migrate, NewerSchemaError } from './migrations.js';

/** Marks a database as ours (`PRAGMA application_id`): "ORCH". */
const APPLICATION_ID = 0x4f524348;

/** Older ones can corrupt a database in WAL mode when a checkpoint meets a write; sqlite.org/wal.html, "WAL-reset bug". */
const OLDEST_SQLITE = [3, 51, 3] as const;

const CACHE_KIB = 16_384;

/** The database file cannot be used; the message says what to do. */
export class UnusableDatabaseError extends Error {
  constructor(file: string, reason: string, options?: ErrorOptions) {
    super(`The database ${file} ${reason}`, options);
  }
}

/** An open database and what keeps other processes off it. */
export interface OpenDatabase {
  readonly database: DatabaseSync;
  close(): void;
}

/**
 * Opens the database, makes it if there is none, and brings its schema up to date. `:memory:` serves tests.
 * @throws UnusableDatabaseError for a file that is damaged, foreign or newer: never a silent new one
 * @throws DatabaseInUseError when another process has it
 */
export function openDatabase(file: string): OpenDatabase {
  if (file === ':memory:') return inMemory();
  const lock = inFolder(file, () => lockFile(file));
  try {
    if (!existsSync(file)) inFolder(file, () => create(file));
    const database = openExisting(file);
    return { database, close: () => closeAll(database, lock) };
  } catch (error) {
    lock.close();
    throw error;
  }
}

function lockFile(file: string): DatabaseSync {
  mkdirSync(path.dirname(file), { recursive: true });
  return lockDatabase(file);
}

/** Runs a step that makes files beside the database: what goes wrong there is the folder's fault. */
function inFolder<T>(file: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof DatabaseInUseError || error instanceof UnusableDatabaseError) throw error;
    const reason = `cannot be made (${(error as Error).message}): give DATABASE_URL a folder that this process can write to`;
    throw new UnusableDatabaseError(file, reason, { cause: error });
  }
}

function closeAll(...databases: readonly DatabaseSync[]): void {
  for (const database of databases) database.close();
}

function inMemory(): OpenDatabase {
  const database = new DatabaseSync(':memory:');
  migrate(database);
  return { database, close: () => database.close() };
}

/** A database is born whole: made under another name and renamed, so that an empty file always means damage. */
function create(file: string): void {
  // SQLite would play the lost database's last writes into the new one.
  if (existsSync(`${file}-wal`)) {
    throw new UnusableDatabaseError(
      file,
      'is missing, but its -wal file is not: restore it, or move that away to start a new one',
    );
  }
  const unborn = `${file}.new`;
  rmSync(unborn, { force: true });
  const database = new DatabaseSync(unborn);
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  migrate(database);
  database.close();
  renameSync(unborn, file);
  syncFolder(file);
}

/** A new name is durable only when its folder is. */
export function syncFolder(file: string): void {
  const handle = openSync(path.dirname(file), 'r');
  fsyncSync(handle);
  closeSync(handle);
}

function openExisting(file: string): DatabaseSync {
  refuseNoFile(file);
  const database = opened(file);
  try {
    refuseOldSqlite(database);
    refuseForeign(database, file);
    migrate(database);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    database.exec(`PRAGMA temp_store = MEMORY; PRAGMA cache_size = -${CACHE_KIB}`);
    database.exec('BEGIN IMMEDIATE; REPLACE INTO write_probe (one, at) VALUES (1, 0); COMMIT');
    return database;
  } catch (error) {
    database.close();
    throw unusable(file, error as Error);
  }
}

function opened(file: string): DatabaseSync {
  try {
    return new DatabaseSync(file);
  } catch (error) {
    const reason = `cannot be opened (${(error as Error).message}): let this process read and write it`;
    throw new UnusableDatabaseError(file, reason, { cause: error });
  }
}

function unusable(file: string, error: Error): UnusableDatabaseError {
  if (error instanceof UnusableDatabaseError) return error;
  if (error instanceof NewerSchemaError) return new UnusableDatabaseError(file, error.message);
  const advice = 'restore a backup, or move it and its -wal file away to start a new one';
  return new UnusableDatabaseError(file, `cannot be used (${error.message}): ${advice}`, { cause: error });
}

function refuseNoFile(file: string): void {
  if (!statSync(file).isFile()) throw new UnusableDatabaseError(file, 'is not a file: give DATABASE_URL the path of one');
}

function refuseOldSqlite(database: DatabaseSync): void {
  const version = String(database.prepare('SELECT sqlite_version() AS version').get()?.version);
  const difference = version.split('.').map((part, index) => Number(part) - (OLDEST_SQLITE[index] ?? 0));
  const first = difference.find((part) => part !== 0) ?? 0;
  if (first < 0) throw new Error(`SQLite ${version} is older than ${OLDEST_SQLITE.join('.')}`);
}

/** @throws UnusableDatabaseError for the database of another program, Error for an empty file or one that was cut short */
export function refuseForeign(database: DatabaseSync, file: string): void {
  const pragma = (name: string): number => Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
  if (statSync(file).size === 0) throw new Error('the file is empty');
  if (pragma('application_id') !== APPLICATION_ID) {
    throw new UnusableDatabaseError(file, 'is not one of this program: move it away, or give another DATABASE_URL');
  }
  const expected = pragma('page_count') * pragma('page_size');
  if (!existsSync(`${file}-wal`) && statSync(file).size < expected) throw new Error('the file is cut short');
}
