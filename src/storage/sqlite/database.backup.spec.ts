import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openDatabase, UnusableDatabaseError, type OpenDatabase } from './database.js';
import { backupDatabase, BackupError } from './database.backup.js';

describe('a backup', () => {
  let folder: string;
  let file: string;
  let target: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'backup-'));
    mkdirSync(path.join(folder, 'to'));
    file = path.join(folder, 'tasks.db');
    target = path.join(folder, 'to', 'copy.db');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  const fill = ({ database }: OpenDatabase, from: number, to: number): void => {
    const insert = database.prepare('INSERT INTO droplets VALUES (?, ?, ?)');
    for (let id = from; id <= to; id++) insert.run(id, `d${id}`, 'x'.repeat(3000));
  };

  const rowCount = (of: string): number => {
    const { database, close } = openDatabase(of);
    const count = Number(database.prepare('SELECT COUNT(*) AS count FROM droplets').get()?.count);
    close();
    return count;
  };

  const made = (rows: number): void => {
    const opened = openDatabase(file);
    fill(opened, 1, rows);
    opened.close();
  };

  /** The refusal, after a look that it left nothing behind. */
  const refusal = async (from = file, to = target): Promise<Error> => {
    const before = readdirSync(path.dirname(to));
    const error = await backupDatabase(from, to).then(
      () => new Error('was made'),
      (reason: unknown) => reason as Error,
    );
    expect(readdirSync(path.dirname(to))).toEqual(before);
    return error;
  };

  it('of a database that is open elsewhere has all that was committed, and is one file', async () => {
    const opened = openDatabase(file);
    fill(opened, 1, 100);
    await backupDatabase(file, target);
    fill(opened, 101, 110);
    opened.close();
    expect(readdirSync(path.dirname(target))).toEqual(['copy.db']);
    expect(rowCount(target)).toBe(100);
    expect(rowCount(file)).toBe(110);
  });

  it('has nothing of a transaction that is not committed yet', async () => {
    const opened = openDatabase(file);
    fill(opened, 1, 10);
    opened.database.exec('BEGIN IMMEDIATE');
    fill(opened, 11, 20);
    await backupDatabase(file, target);
    opened.database.exec('COMMIT');
    opened.close();
    expect(rowCount(target)).toBe(10);
  });

  it('of a database that nobody has open changes nothing of it', async () => {
    made(50);
    const before = readFileSync(file);
    await backupDatabase(file, target);
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(rowCount(target)).toBe(50);
  });

  it('of a database that a crash left behind has what stood only in its log', async () => {
    const opened = openDatabase(file);
    fill(opened, 1, 30);
    const left = path.join(folder, 'left.db');
    for (const end of ['', '-wal']) copyFileSync(file + end, left + end);
    opened.close();
    await backupDatabase(left, target);
    expect(rowCount(target)).toBe(30);
    expect(rowCount(left)).toBe(30);
  });

  it('never takes the place of a file', async () => {
    made(1);
    writeFileSync(target, 'precious');
    const error = await refusal();
    expect(error).toBeInstanceOf(BackupError);
    expect(error.message).toBe(`${target} exists already: name a new file`);
    expect(readFileSync(target, 'utf8')).toBe('precious');
    expect((await refusal(file, file)).message).toMatch(/exists already/);
  });

  it('that is asked for twice at once is made once', async () => {
    made(200);
    const outcomes = await Promise.allSettled([backupDatabase(file, target), backupDatabase(file, target)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(readdirSync(path.dirname(target))).toEqual(['copy.db']);
    expect(rowCount(target)).toBe(200);
  });

  it('says so when there is no database, and makes none', async () => {
    const error = await refusal();
    expect(error).toBeInstanceOf(BackupError);
    expect(error.message).toMatch(/^There is no database .*tasks\.db: DATABASE_URL must name/);
    expect(readdirSync(folder)).toEqual(['to']);
  });

  it('says so when the folder of the copy is not there', async () => {
    made(1);
    const error = await backupDatabase(file, path.join(folder, 'nowhere', 'copy.db')).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BackupError);
    expect((error as Error).message).toMatch(/cannot be copied to .*unable to open database file/);
  });

  it('is refused for the database of another program', async () => {
    const foreign = new DatabaseSync(file);
    foreign.exec('CREATE TABLE theirs (a)');
    foreign.close();
    const error = await refusal();
    expect(error).toBeInstanceOf(UnusableDatabaseError);
    expect(error.message).toMatch(/not one of this program/);
  });

  it.each<[string, (bytes: Buffer) => void]>([
    ['in its first page', (bytes) => void bytes.fill(0xff, 100, 2000)],
    ['in the middle', (bytes) => void bytes.fill(0xff, 4096 * 30, 4096 * 31)],
  ])('of a database that is damaged %s is not kept: it would be no backup', async (_where, damage) => {
    made(100);
    const bytes = readFileSync(file);
    damage(bytes);
    writeFileSync(file, bytes);
    expect((await refusal()).message).toMatch(/damaged|malformed|cannot be copied/);
  });
});
