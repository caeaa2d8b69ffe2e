import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openDatabase, UnusableDatabaseError } from './database.js';
import { DatabaseInUseError } from './database.lock.js';

describe('openDatabase', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'database-'));
    file = path.join(folder, 'tasks.db');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  /** A database of ours with as many droplets as asked for, closed in order. */
  const makeDatabase = (rows = 0): void => {
    const { database, close } = openDatabase(file);
    const insert = database.prepare('INSERT INTO droplets VALUES (?, ?, ?)');
    for (let id = 1; id <= rows; id++) insert.run(id, `d${id}`, 'x'.repeat(3000));
    close();
  };

  const rowCount = (from = file): number => {
    const { database, close } = openDatabase(from);
    const count = Number(database.prepare('SELECT COUNT(*) AS count FROM droplets').get()?.count);
    close();
    return count;
  };

  const refusal = (from = file): Error => {
    try {
      openDatabase(from).close();
    } catch (error) {
      return error as Error;
    }
    throw new Error('was opened');
  };

  describe('a good file', () => {
    it('is made with its folders when there is none', () => {
      const deep = path.join(folder, 'a', 'b', 'tasks.db');
      openDatabase(deep).close();
      expect(rowCount(deep)).toBe(0);
      expect(existsSync(`${deep}.new`)).toBe(false);
    });

    it('keeps its rows when it is opened again', () => {
      makeDatabase(3);
      expect(rowCount()).toBe(3);
    });

    it('is written with a log ahead and an fsync for each commit', () => {
      const { database, close } = openDatabase(file);
      const pragma = (name: string): unknown => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
      expect([pragma('journal_mode'), pragma('synchronous')]).toEqual(['wal', 2]);
      close();
    });

    it('keeps what was committed before a crash: the log beside it is read', () => {
      makeDatabase();
      const { database, close } = openDatabase(file);
      database.prepare("INSERT INTO droplets VALUES (1, 'a', '{}')").run();
      const copy = path.join(folder, 'copy.db');
      for (const end of ['', '-wal']) copyFileSync(file + end, copy + end);
      close();
      expect(rowCount(copy)).toBe(1);
    });

    it.each(['', 'half of a database', '\0'.repeat(5000)])('is made although an earlier making was killed half-way', (left) => {
      writeFileSync(`${file}.new`, left);
      writeFileSync(`${file}.new-journal`, left);
      expect(rowCount()).toBe(0);
    });

    it('may be in memory', () => {
      const { database, close } = openDatabase(':memory:');
      expect(database.prepare('SELECT COUNT(*) AS count FROM tasks').get()?.count).toBe(0);
      close();
    });

    it.each([1, 2])('opens however often the lock file was left behind', (times) => {
      makeDatabase(1);
      for (let time = 0; time < times; time++) writeFileSync(`${file}.lock`, '');
      expect(rowCount()).toBe(1);
    });
  });

  describe('one process to a file', () => {
    it('refuses a second one, which leaves the first alone', () => {
      const first = openDatabase(file);
      const error = refusal();
      expect(error).toBeInstanceOf(DatabaseInUseError);
      expect(error.message).toMatch(/in use by another process: stop that one, or give this one a file of its own/);
      first.database.prepare("INSERT INTO droplets VALUES (1, 'a', '{}')").run();
      first.close();
      expect(rowCount()).toBe(1);
    });

    it('lets the next in when a process that had it was killed', async () => {
      makeDatabase(1);
      const script = `
        const { DatabaseSync } = require('node:sqlite');
        const lock = new DatabaseSync(process.argv[1]);
        lock.exec('BEGIN EXCLUSIVE');
        console.log('locked');
        setInterval(() => undefined, 1000);`;
      const child = spawn(process.execPath, ['--no-warnings', '-e', script, `${file}.lock`]);
      try {
        await once(child.stdout, 'data');
        expect(refusal()).toBeInstanceOf(DatabaseInUseError);
      } finally {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      expect(rowCount()).toBe(1);
    });

    it('lets a backup tool read while it runs', () => {
      const { database, close } = openDatabase(file);
      const reader = new DatabaseSync(file, { readOnly: true });
      database.prepare("INSERT INTO droplets VALUES (1, 'a', '{}')").run();
      expect(reader.prepare('SELECT COUNT(*) AS count FROM droplets').get()?.count).toBe(1);
      reader.close();
      close();
    });
  });

  describe('a file that cannot be used is refused with what to do, and not changed', () => {
    const foreign = (): void => {
      const database = new DatabaseSync(file);
      database.exec('CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)');
      database.close();
    };
    const newer = (): void => {
      makeDatabase(1);
      const database = new DatabaseSync(file);
      database.exec('PRAGMA user_version = 1000; PRAGMA journal_mode = DELETE');
      database.close();
    };
    const cutTo = (bytes: number) => (): void => {
      makeDatabase(50);
      truncateSync(file, bytes);
    };
    const flipped = (): void => {
      makeDatabase(1);
      const bytes = readFileSync(file);
      bytes.fill(0xff, 100, 2000);
      writeFileSync(file, bytes);
    };
    const BACKUP = /restore a backup, or move it/;

    it.each<[string, () => void, RegExp]>([
      ['text', () => writeFileSync(file, 'this is no database, it is a letter\n'.repeat(500)), BACKUP],
      ['a short text', () => writeFileSync(file, 'x'), /move it away, or give another DATABASE_URL/],
      ['zeros', () => writeFileSync(file, Buffer.alloc(8192)), BACKUP],
      ['nothing', () => writeFileSync(file, ''), BACKUP],
      ['a database cut after one page', cutTo(4096), BACKUP],
      ['a database cut inside of a page', cutTo(50_001), BACKUP],
      ['a database cut by its last page', cutTo(4096 * 20), BACKUP],
      ['a database cut to 10 bytes', cutTo(10), BACKUP],
      ['a database with a damaged first page', flipped, BACKUP],
      ['the database of another program', foreign, /not one of this program: move it away, or give another DATABASE_URL/],
      ['a database of a newer version', newer, /written by a newer version: start that one$/],
    ])('%s', (_title, make, advice) => {
      make();
      const before = readFileSync(file);
      const error = refusal();
      expect(error).toBeInstanceOf(UnusableDatabaseError);
      expect(error.message).toMatch(advice);
      expect(error.message).toContain(file);
      expect(error.message).not.toContain('\n');
      expect(readFileSync(file).equals(before)).toBe(true);
    });

    it('a folder', () => {
      mkdirSync(file);
      expect(refusal()).toBeInstanceOf(UnusableDatabaseError);
      expect(refusal().message).toMatch(/is not a file: give DATABASE_URL the path of one/);
    });

    it('a lock file that is none', () => {
      makeDatabase(1);
      writeFileSync(`${file}.lock`, 'garbage '.repeat(1000));
      expect(refusal()).not.toBeInstanceOf(DatabaseInUseError);
      expect(refusal().message).toContain(file);
    });

    it('a missing file whose log is still there: a new one would be played the old log', () => {
      makeDatabase(1);
      const { close } = openDatabase(file);
      copyFileSync(`${file}-wal`, path.join(folder, 'saved-wal'));
      close();
      rmSync(file);
      copyFileSync(path.join(folder, 'saved-wal'), `${file}-wal`);
      expect(refusal()).toBeInstanceOf(UnusableDatabaseError);
      expect(refusal().message).toMatch(/-wal file is not: restore it, or move that away to start a new one/);
      expect(existsSync(file)).toBe(false);
    });

    it('can be opened again once the reason is gone: no lock stays behind', () => {
      mkdirSync(file);
      refusal();
      rmSync(file, { recursive: true });
      expect(rowCount()).toBe(0);
    });
  });

  describe('a file of the wrong mode', () => {
    /** Root may read and write whatever the mode says, so the file is opened as nobody. */
    const asNobody = (action: () => Error): Error => {
      const isRoot = process.geteuid?.() === 0;
      if (isRoot) process.seteuid?.(65_534);
      try {
        return action();
      } finally {
        if (isRoot) process.seteuid?.(0);
      }
    };

    it.each([
      ['only be read', 0o444],
      ['not even be read', 0o000],
    ])('is refused by its name when it may %s, and not replaced', (_may, mode) => {
      makeDatabase(1);
      chmodSync(folder, 0o777);
      rmSync(`${file}.lock`, { force: true });
      chmodSync(file, mode);
      const before = statSync(file);
      const error = asNobody(refusal);
      expect(error).toBeInstanceOf(UnusableDatabaseError);
      expect(error.message).toContain(file);
      expect([statSync(file).ino, statSync(file).size]).toEqual([before.ino, before.size]);
      chmodSync(file, 0o644);
      rmSync(`${file}.lock`, { force: true });
      expect(rowCount()).toBe(1);
    });
  });

  describe('a folder that cannot be written', () => {
    it.each([
      ['is read-only even to root', () => '/proc/tasks.db'],
      ['is a file', () => path.join(folder, 'file', 'tasks.db')],
    ])('is named when it %s', (_title, place) => {
      writeFileSync(path.join(folder, 'file'), '');
      const error = refusal(place());
      expect(error).toBeInstanceOf(UnusableDatabaseError);
      expect(error.message).toMatch(/give DATABASE_URL a folder that this process can write to/);
    });
  });
});
