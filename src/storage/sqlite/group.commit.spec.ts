import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DatabaseSync } from 'node:sqlite';
import { ManualClock } from '../../../test/support/manual.clock.js';
import { currentSpan } from '../../common/current.span.js';
import { StorageUnavailableError } from '../../common/errors.js';
import { createLog } from '../../common/log.js';
import { openDatabase } from './database.js';
import { GroupCommit } from './group.commit.js';

describe('GroupCommit', () => {
  let database: DatabaseSync;
  let clock: ManualClock;
  let logged: string[];
  let commits: GroupCommit;
  let executed: string[];

  beforeEach(() => {
    database = openDatabase(':memory:').database;
    database.exec('CREATE TABLE words (word TEXT UNIQUE)');
    executed = [];
    const exec = database.exec.bind(database);
    database.exec = (sql) => {
      executed.push(sql);
      exec(sql);
    };
    clock = new ManualClock();
    logged = [];
    const log = createLog('info', { write: (line: string) => void logged.push((JSON.parse(line) as { msg: string }).msg) });
    commits = new GroupCommit(database, clock, log);
  });

  afterEach(() => {
    commits.close();
    database.close();
  });

  const put = (word: string) => commits.write(() => database.prepare('INSERT INTO words VALUES (?)').run(word).changes);
  const words = () =>
    database
      .prepare('SELECT word FROM words ORDER BY rowid')
      .all()
      .map(({ word }) => word);
  const commitCount = () => executed.filter((sql) => sql === 'COMMIT').length;
  const refuseWrites = (isOn = true) => database.exec(`PRAGMA query_only = ${isOn ? 1 : 0}`);

  it('puts all writes of one turn into one commit, in their order', async () => {
    await Promise.all(['a', 'b', 'c'].map(put));
    expect([words(), commitCount()]).toEqual([['a', 'b', 'c'], 1]);
  });

  it('takes one commit for each turn', async () => {
    await put('a');
    await put('b');
    expect(commitCount()).toBe(2);
  });

  it('gives each write its own result', async () => {
    expect(await Promise.all([put('a'), commits.write(() => 'text'), commits.write(() => undefined)])).toEqual([
      1,
      'text',
      undefined,
    ]);
  });

  it('resolves only when the commit is done', async () => {
    let wasOpen: boolean | null = null;
    await put('a').then(() => (wasOpen = database.isTransaction));
    expect(wasOpen).toBe(false);
  });

  it('tells of a later commit only after all of an earlier one, however many they are', async () => {
    const told: string[] = [];
    const tell = (word: string) => put(word).then(() => told.push(word));
    const words = Array.from({ length: 100 }, (_, index) => `w${index}`);
    const first = words.map(tell);
    const second = first[0]?.then(() => tell('later'));
    await Promise.all([...first, second]);
    expect(told).toEqual([...words, 'later']);
  });

  it('counts a write with its commit, before any writer is told', async () => {
    let counted = 0;
    const counting = (word: string) =>
      commits.write(
        () => database.prepare('INSERT INTO words VALUES (?)').run(word).changes,
        (changes) => (counted += Number(changes)),
      );
    const all = Array.from({ length: 100 }, (_, index) => counting(`w${index}`));
    await all[0];
    expect(counted).toBe(100);
    await Promise.all(all);
    await expect(counting('w0')).rejects.toThrow();
    expect(counted).toBe(100);
  });

  it('tells a reader of what it saw after those who wrote it', async () => {
    const told: string[] = [];
    const writes = Array.from({ length: 100 }, (_, index) => put(`w${index}`).then(() => told.push(`w${index}`)));
    await writes[0];
    expect(told.length).toBeLessThan(100);
    expect(await commits.inTurn(words().length)).toBe(100);
    expect(told).toHaveLength(100);
  });

  it('has told all of what its close committed by the next turn', async () => {
    let told = 0;
    for (let index = 0; index < 100; index++) void put(`w${index}`).then(() => told++);
    commits.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toBe(100);
  });

  it('does not fail the neighbours of a bad write, nor call the store failing', async () => {
    await put('taken');
    const results = await Promise.allSettled(['a', 'taken', 'b'].map(put));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(words()).toEqual(['taken', 'a', 'b']);
    expect([commits.isWritable, logged]).toEqual([true, []]);
  });

  it('does not call the store failing for one bad write alone', async () => {
    await put('taken');
    await expect(put('taken')).rejects.toThrow('UNIQUE constraint failed');
    expect([commits.isWritable, clock.waiting]).toEqual([true, []]);
  });

  it('leaves nothing of a write that fails half-way', async () => {
    const half = commits.write(() => {
      database.prepare("INSERT INTO words VALUES ('half')").run();
      throw new Error('half-way');
    });
    await expect(half).rejects.toEqual(new Error('half-way'));
    expect([words(), database.isTransaction]).toEqual([[], false]);
  });

  it.each([1, 5])('refuses %i writes of a store that fails, and says so once', async (count) => {
    refuseWrites();
    const results = await Promise.allSettled(Array.from({ length: count }, (_, index) => put(`w${index}`)));
    for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'STORAGE_UNAVAILABLE' } });
    expect([commits.isWritable, logged]).toEqual([false, ['store cannot be written']]);
  });

  it('logs a store that fails in the span of no task', async () => {
    const spans: unknown[] = [];
    const log = createLog('info', { write: () => void spans.push(currentSpan.getStore()) });
    const shared = new GroupCommit(database, clock, log);
    refuseWrites();
    const write = () => shared.write(() => database.exec("INSERT INTO words VALUES ('a')"));
    await expect(currentSpan.run({ traceId: 't', spanId: 's' }, write)).rejects.toThrow(StorageUnavailableError);
    expect(spans).toEqual([undefined]);
    shared.close();
  });

  it('looks again every 500 ms and recovers by itself', async () => {
    refuseWrites();
    await expect(put('a')).rejects.toThrow(StorageUnavailableError);
    clock.advance(5000);
    expect([commits.isWritable, clock.waiting]).toEqual([false, [500]]);
    refuseWrites(false);
    clock.advance(499);
    expect(commits.isWritable).toBe(false);
    clock.advance(1);
    expect([commits.isWritable, clock.waiting]).toEqual([true, []]);
    expect(logged).toEqual(['store cannot be written', 'store can be written again']);
    expect(await put('b')).toBe(1);
  });

  it('can fail and recover more than once', async () => {
    for (const word of ['a', 'b']) {
      refuseWrites();
      await expect(put(word)).rejects.toThrow(StorageUnavailableError);
      refuseWrites(false);
      clock.advance(500);
      expect(await put(word)).toBe(1);
    }
    expect(words()).toEqual(['a', 'b']);
  });

  it('does not take a full store for a working one because a tiny write still fits', async () => {
    const pages = Number(database.prepare('PRAGMA page_count').get()?.page_count);
    database.exec(`PRAGMA max_page_count = ${pages + 1}`);
    await expect(put('x'.repeat(20_000))).rejects.toThrow(StorageUnavailableError);
    expect(commits.isWritable).toBe(false);
    clock.advance(2000);
    expect(commits.isWritable).toBe(false);
    database.exec(`PRAGMA max_page_count = ${pages + 1000}`);
    clock.advance(500);
    expect(commits.isWritable).toBe(true);
    expect(await put('x'.repeat(20_000))).toBe(1);
  });

  it('gives back what a look at the store takes', async () => {
    await put('taken');
    await expect(put('taken')).rejects.toThrow();
    const size = () => Number(database.prepare('SELECT LENGTH(filler) AS size FROM write_probe').get()?.size);
    expect(size()).toBe(0);
  });

  it('commits what waits when it is closed, and takes nothing more', async () => {
    const last = put('last');
    commits.close();
    expect(words()).toEqual(['last']);
    await expect(last).resolves.toBe(1);
    await expect(put('late')).rejects.toThrow(StorageUnavailableError);
    expect(commits.isWritable).toBe(false);
  });

  it('stops looking at a failing store when it is closed', async () => {
    refuseWrites();
    await expect(put('a')).rejects.toThrow(StorageUnavailableError);
    commits.close();
    refuseWrites(false);
    clock.advance(5000);
    expect([commits.isWritable, clock.waiting]).toEqual([false, []]);
  });
});
