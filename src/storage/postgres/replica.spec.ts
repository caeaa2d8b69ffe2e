import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../../../test/support/http.client.js';
import { ManualClock } from '../../../test/support/manual.clock.js';
import { queryOnce } from '../../../test/support/postgres.js';
import { emptyDatabase, jobsIn, openPostgres } from '../../../test/support/postgres.stores.js';
import { sharedPostgres } from '../../../test/support/shared.postgres.js';
import { anyRoom, jobOf, queuedTask } from '../../../test/support/task.factory.js';
import { StorageUnavailableError } from '../../common/errors.js';
import type { TaskRecord } from '../../tasks/task.js';
import type { Acceptance } from '../../tasks/task.store.js';
import { SCHEMA } from './migrations.js';
import { lockKey } from './postgres.keys.js';
import { SEEN } from './postgres.tasks.js';

type Opened = Awaited<ReturnType<typeof openPostgres>>;

afterAll(async () => (await sharedPostgres()).stop());

describe('What a replica refused although it may have been committed', () => {
  let url: string;
  let clock: ManualClock;
  let ours: Opened;
  let other: Opened;

  beforeEach(async () => {
    url = await emptyDatabase();
    clock = new ManualClock();
    [ours, other] = [await openPostgres(url, clock), await openPostgres(url, clock)];
  });
  afterEach(async () => {
    await Promise.all([ours.close(), other.close()]);
  });

  const acceptance = (change: Partial<TaskRecord> = {}): Acceptance => {
    const task = queuedTask({ meta: { a: 'b' }, ...change });
    const job = jobOf(task, clock.now());
    return { task, job, key: { caller: 'c', key: 'k', fingerprint: 'f', expiresAt: clock.now() + 60_000 } };
  };
  /** Every row that tasks may leave behind. */
  const left = async (): Promise<unknown> => {
    const count = (table: string): string => `(SELECT count(*)::int FROM ${SCHEMA}.${table}) AS ${table}`;
    const sum = (name: string): string => `(SELECT COALESCE(sum(${name}), 0)::int FROM ${SCHEMA}.task_totals) AS sum_of_${name}`;
    const parts = [...['tasks', 'task_meta', 'idempotency_keys'].map(count), ...['tasks', 'bytes', 'jobs'].map(sum)];
    const { rows } = await queryOnce(url, `SELECT ${parts.join(', ')}`);
    return { ...rows[0], waiting: (await jobsIn(url)).length };
  };
  const NOTHING = {
    ...{ tasks: 0, task_meta: 0, idempotency_keys: 0, waiting: 0 },
    ...{ sum_of_tasks: 0, sum_of_bytes: 0, sum_of_jobs: 0 },
  };
  /** Accepts, but the connection breaks before the server's answer to the commit comes. */
  const refused = async (each: Acceptance): Promise<void> => {
    const { connection } = ours;
    const transaction = connection.transaction.bind(connection);
    connection.transaction = async (...args) => {
      connection.transaction = transaction;
      await transaction(...args);
      throw new Error('connection lost');
    };
    await expect(ours.tasks.accept([each])).rejects.toThrow(StorageUnavailableError);
    expect(await ours.tasks.get(each.task.id)).not.toBeNull();
  };

  it.each<[string, Partial<Acceptance>]>([
    ['an asynchronous task', {}],
    ['a task whose caller waited', { job: null }],
    ['a task without a key', { key: null }],
  ])('is taken back whole when the store is back: %s', async (_title, change) => {
    const before = await left();
    ours.health.start();
    await refused({ ...acceptance(), ...change });
    expect(ours.tasks.isWritable).toBe(false);
    clock.advance(2000);
    await until(() => ours.tasks.isWritable);
    expect(before).toEqual(NOTHING);
    expect(await left()).toEqual(NOTHING);
    expect(await ours.tasks.accept([acceptance()])).toEqual([{ kind: 'accepted' }]);
  });

  it('leaves all other tasks alone', async () => {
    const others = [acceptance(), { ...acceptance(), key: null }];
    await other.tasks.accept(others);
    await refused({ ...acceptance(), key: null });
    await ours.replica.beat();
    expect((await jobsIn(url)).map(({ id }) => id).sort()).toEqual(others.map(({ task }) => task.id).sort());
    expect(await left()).toMatchObject({ tasks: 2, task_meta: 2, idempotency_keys: 1, sum_of_tasks: 2, sum_of_jobs: 2 });
  });

  it('stays when somebody was answered with it by its key meanwhile', async () => {
    const each = acceptance();
    await refused(each);
    expect(await other.tasks.accept([acceptance()])).toEqual([{ kind: 'replayed', task: each.task }]);
    await ours.replica.beat();
    expect(await ours.tasks.get(each.task.id)).toEqual(each.task);
    expect(await left()).toMatchObject({ tasks: 1, idempotency_keys: 1, waiting: 1 });
  });

  it('is waited for by its key, as by everybody, while somebody is answered with it; then it stays', async () => {
    const { task, key, job } = acceptance();
    await refused({ task, key, job });
    const waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let beat = Promise.resolve();
    await other.connection.transaction(async (session) => {
      if (key) await lockKey(key, task.id, session);
      beat = ours.replica.beat();
      await until(async () => (await queryOnce(url, waiting)).rows.length > 0);
      await session.query({ text: `UPDATE ${SCHEMA}.tasks SET claim = ${SEEN} WHERE id = $1`, values: [task.id] });
    });
    await beat;
    expect(await ours.tasks.get(task.id)).toEqual(task);
    expect(await left()).toMatchObject({ tasks: 1, task_meta: 1, idempotency_keys: 1, waiting: 1 });
  });

  it('stays when a replica runs it already', async () => {
    const { task, ...rest } = acceptance();
    await refused({ task, ...rest });
    let claimed = '';
    other.queue.work(({ id }) => new Promise(() => (claimed = id)), anyRoom);
    await until(() => claimed === task.id);
    await ours.replica.beat();
    expect(await ours.tasks.get(task.id)).toEqual({ ...task, status: 'running' });
    expect(await left()).toMatchObject({ tasks: 1, idempotency_keys: 1, waiting: 1 });
  });

  it('stays when it was cancelled meanwhile, which somebody was told', async () => {
    const each = acceptance();
    await refused(each);
    await other.tasks.settle(each.task.id, { change: { status: 'cancelled', completedAt: clock.now() }, next: null });
    await ours.replica.beat();
    expect(await ours.tasks.get(each.task.id)).toMatchObject({ status: 'cancelled' });
  });
});

describe('A replica that lives', () => {
  let url: string;
  let clock: ManualClock;
  let replica: Opened;

  beforeEach(async () => {
    url = await emptyDatabase();
    clock = new ManualClock();
    replica = await openPostgres(url, clock);
  });
  afterEach(() => replica.close());

  const known = async (): Promise<string[]> =>
    (await queryOnce(url, `SELECT id FROM ${SCHEMA}.replicas`)).rows.map(({ id }) => id as string);

  it('is known to the others until it leaves', async () => {
    expect(await known()).toEqual([replica.replica.id]);
    await replica.replica.leave();
    expect(await known()).toEqual([]);
  });

  it('keeps the callers that wait for it, and loses them when it is silent for long', async () => {
    const task = queuedTask({ status: 'running' });
    await replica.tasks.accept([{ task, job: null, key: null }]);
    const silent = (seconds: number) =>
      queryOnce(url, `UPDATE ${SCHEMA}.replicas SET seen_at = now() - interval '${seconds} s'`).then(() =>
        replica.tasks.abandoned(),
      );
    // Nobody could say anything while the store was away: that it is back since has to be some time ago.
    expect(await silent(16)).toEqual([]);
    clock.advance(15_000);
    expect(await silent(10)).toEqual([]);
    expect(await silent(16)).toEqual([{ task, job: null }]);
    await replica.replica.beat();
    expect(await replica.tasks.abandoned()).toEqual([]);
  });

  it('forgets those that are gone for good', async () => {
    const gone = '00000000-0000-4000-8000-000000000000';
    await queryOnce(url, `INSERT INTO ${SCHEMA}.replicas VALUES ('${gone}', now() - interval '2 days')`);
    await replica.replica.beat();
    expect(await known()).toEqual([replica.replica.id]);
  });
});
