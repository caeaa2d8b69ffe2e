import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { until } from '../../../test/support/http.client.js';
import { ManualClock } from '../../../test/support/manual.clock.js';
import { queryOnce } from '../../../test/support/postgres.js';
import { sharedPostgres } from '../../../test/support/shared.postgres.js';
import { StorageUnavailableError } from '../../common/errors.js';
import { createLog } from '../../common/log.js';
import { GroupCommit } from './group.commit.js';
import { PostgresConnection, type Session } from './postgres.connection.js';
import { StoreHealth } from './store.health.js';

/** The time within which a caller is answered. */
const ANSWERED_WITHIN_MS = 2000;

describe('GroupCommit', () => {
  let url: string;
  let connection: PostgresConnection;
  let clock: ManualClock;
  let logged: string[];
  let health: StoreHealth;
  let batches: string[][];
  let doubted: string[];
  let commits: GroupCommit<string>;
  /** What a transaction does before it inserts. */
  let first: (session: Session) => Promise<unknown>;

  beforeAll(async () => {
    url = await (await sharedPostgres()).createDatabase();
    await queryOnce(url, 'CREATE TABLE words (word text PRIMARY KEY, uses integer NOT NULL DEFAULT 0)');
  });
  afterAll(async () => (await sharedPostgres()).stop());

  beforeEach(async () => {
    await queryOnce(url, 'DELETE FROM words');
    [clock, logged, batches, doubted] = [new ManualClock(), [], [], []];
    const log = createLog('info', { write: (line: string) => void logged.push((JSON.parse(line) as { msg: string }).msg) });
    connection = new PostgresConnection(url, log);
    health = new StoreHealth(() => connection.query({ text: 'SELECT 1' }).then(() => undefined), clock, log);
    first = () => Promise.resolve();
    const commit = (writes: readonly string[], over: AbortSignal): Promise<unknown[]> => {
      batches.push([...writes]);
      return connection.transaction(async (session) => {
        await first(session);
        for (const word of writes) await session.query({ text: 'INSERT INTO words VALUES ($1)', values: [word] });
        over.throwIfAborted();
        return writes.map((word) => word.toUpperCase());
      });
    };
    commits = new GroupCommit(commit, (writes) => doubted.push(...writes), health, clock);
  });
  afterEach(async () => {
    await commits.idle();
    health.stop();
    await connection.close().catch(() => undefined);
  });

  const put = (word: string): Promise<unknown> => commits.write(word);
  const words = async (): Promise<unknown[]> =>
    (await queryOnce(url, 'SELECT word FROM words ORDER BY word')).rows.map(({ word }) => word as string);
  /** Runs statements while each transaction waits for their lock. */
  const whileLocked = async (work: () => Promise<void>): Promise<void> => {
    const other = new Client({ connectionString: url });
    await other.connect();
    await other.query('BEGIN; LOCK TABLE words IN ACCESS EXCLUSIVE MODE');
    try {
      await work();
    } finally {
      await other.query('ROLLBACK');
      await other.end();
    }
  };

  it('puts all writes of one turn into one transaction, each with its own result', async () => {
    expect(await Promise.all(['a', 'b', 'c'].map(put))).toEqual(['A', 'B', 'C']);
    expect([await words(), batches]).toEqual([['a', 'b', 'c'], [['a', 'b', 'c']]]);
  });

  it('puts those that come while one runs into the next, in their order', async () => {
    const all: Promise<unknown>[] = [];
    await whileLocked(async () => {
      all.push(put('a'));
      await until(() => batches.length === 1);
      all.push(put('b'), put('c'));
      await new Promise((resolve) => setTimeout(resolve, 10));
      all.push(put('d'));
      expect(batches).toEqual([['a']]);
    });
    expect(await Promise.all(all)).toEqual(['A', 'B', 'C', 'D']);
    expect(batches).toEqual([['a'], ['b', 'c', 'd']]);
  });

  it('takes no more into one transaction than it may', async () => {
    const many = Array.from({ length: 1201 }, (_, index) => `w${index}`);
    await Promise.all(many.map(put));
    expect(batches.map(({ length }) => length)).toEqual([500, 500, 201]);
  });

  it('resolves only when the write is there for everybody', async () => {
    await put('a');
    expect(await words()).toEqual(['a']);
  });

  it('does not fail the neighbours of a bad write, nor call the store failing', async () => {
    await put('taken');
    const results = await Promise.allSettled(['a', 'taken', 'b'].map(put));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect([await words(), health.isWritable, logged, doubted]).toEqual([['a', 'b', 'taken'], true, [], []]);
    await expect(put('taken')).rejects.toThrow('words_pkey');
  });

  it('leaves no timer behind', async () => {
    await put('taken');
    await expect(put('taken')).rejects.toThrow('words_pkey');
    expect(clock.waiting).toEqual([]);
  });

  it('tries a transaction again that lost a deadlock', async () => {
    await Promise.all(['x', 'y'].map(put));
    const other = new Client({ connectionString: url });
    await other.connect();
    const use = (word: string): string => `UPDATE words SET uses = uses + 1 WHERE word = '${word}'`;
    await other.query(`BEGIN; ${use('y')}`);
    let others: Promise<unknown> = Promise.resolve();
    first = async (session) => {
      first = () => Promise.resolve();
      await session.query({ text: use('x') });
      const ours = session.query({ text: use('y') });
      await until(async () => (await queryOnce(url, 'SELECT 1 FROM pg_locks WHERE NOT granted')).rowCount === 1);
      others = other.query(`${use('x')}; COMMIT`);
      await ours;
    };
    expect(await put('z')).toBe('Z');
    await others;
    await other.end();
    expect([await words(), batches.slice(1), health.isWritable]).toEqual([['x', 'y', 'z'], [['z'], ['z']], true]);
  });

  it('gives up what fails in a passing way again and again', async () => {
    first = (session) => session.query({ text: "DO $$ BEGIN RAISE EXCEPTION 'not now' USING ERRCODE = '40001'; END $$" });
    await expect(put('a')).rejects.toThrow(StorageUnavailableError);
    expect([batches.length, doubted, health.isWritable]).toEqual([4, ['a'], false]);
  });

  it('answers in time when the commit hangs, also those that wait behind it', async () => {
    await whileLocked(async () => {
      const all = [put('a')];
      await until(() => batches.length === 1);
      all.push(put('b'));
      const results = Promise.allSettled(all);
      clock.advance(ANSWERED_WITHIN_MS - 1);
      for (const result of await results) expect(result).toMatchObject({ reason: { code: 'STORAGE_UNAVAILABLE' } });
      // By us, not by the server, which still waits.
      expect((await queryOnce(url, 'SELECT 1 FROM pg_locks WHERE NOT granted')).rowCount).toBe(1);
    });
    expect([batches, doubted, health.isWritable]).toEqual([[['a']], ['a'], false]);
    expect(logged).toEqual(['store cannot be written']);
    await connection.close();
    expect(await words()).toEqual([]);
  });

  it('refuses at once while the store is known to be away, and writes again when it is back', async () => {
    health.start();
    health.failed(new Error('away'));
    await expect(put('a')).rejects.toThrow(StorageUnavailableError);
    expect([batches, doubted]).toEqual([[], []]);
    clock.advance(ANSWERED_WITHIN_MS);
    await until(() => health.isWritable);
    expect(await put('b')).toBe('B');
  });
});
