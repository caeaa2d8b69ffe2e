import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { dropletStoreContract } from '../../../test/contracts/droplet.store.contract.js';
import { taskStoreContract } from '../../../test/contracts/task.store.contract.js';
import { until } from '../../../test/support/http.client.js';
import { ManualClock } from '../../../test/support/manual.clock.js';
import { queryOnce } from '../../../test/support/postgres.js';
import { emptyDatabase, jobsIn, openPostgres } from '../../../test/support/postgres.stores.js';
import { sharedPostgres } from '../../../test/support/shared.postgres.js';
import { anyRoom, jobOf, queuedTask, taskRecord, taskRecords } from '../../../test/support/task.factory.js';
import type { OwnDroplet } from '../../registry/droplet.store.js';
import { FINAL_STATUSES, type TaskRecord } from '../../tasks/task.js';
import type { Acceptance } from '../../tasks/task.store.js';
import { SCHEMA } from './migrations.js';
import { JOBS_SCHEMA } from './postgres.jobs.js';
import { lockKeysOf } from './postgres.keys.js';
import { pageStatement } from './task.query.js';

type Opened = Awaited<ReturnType<typeof openPostgres>>;

afterAll(async () => (await sharedPostgres()).stop());

taskStoreContract('PostgreSQL', async (clock) => {
  const url = await emptyDatabase();
  const { tasks: store, replica, close } = await openPostgres(url, clock);
  const closes = [close];
  const successor = async () => {
    await replica.leave();
    const other = await openPostgres(url, clock);
    closes.push(other.close);
    return other.tasks;
  };
  const closeAll = async (): Promise<void> => {
    await Promise.all(closes.map((each) => each()));
  };
  return { store, jobs: () => jobsIn(url, clock.steady()), successor, close: closeAll };
});

dropletStoreContract('PostgreSQL', async () => {
  const { droplets: store, close } = await openPostgres(await emptyDatabase());
  return { store, close };
});

describe('PostgreSQL shared by two replicas', () => {
  let url: string;
  let clock: ManualClock;
  let one: Opened;
  let other: Opened;

  beforeEach(async () => {
    url = await emptyDatabase();
    clock = new ManualClock();
    [one, other] = [await openPostgres(url, clock), await openPostgres(url, clock)];
  });
  afterEach(async () => {
    await Promise.all([one.close(), other.close()]);
  });

  const query = { meta: {}, limit: 100 };
  const acceptance = (task: TaskRecord, key: string | null = null): Acceptance => ({
    task,
    job: jobOf(task, clock.now()),
    key: key === null ? null : { caller: '', key, fingerprint: 'f', expiresAt: clock.now() + 60_000 },
  });
  const rows = async (sql: string): Promise<Record<string, unknown>[]> => (await queryOnce(url, sql)).rows;

  it('shows each of them what the other wrote, and the totals of both', async () => {
    const [mine, theirs] = [taskRecord({ retryCount: 1 }), taskRecord({ status: 'error' })];
    await Promise.all([one.tasks.insert(mine), other.tasks.insert(theirs)]);
    for (const { tasks } of [one, other]) {
      expect(await tasks.list(query)).toMatchObject({ tasks: [theirs, mine], total: 2 });
      expect(await tasks.totals()).toMatchObject({ success: 1, error: 1, retries: 1 });
    }
  });

  it('lets one of many in that come to both at once with one key', async () => {
    const requests = Array.from({ length: 40 }, (_, index) =>
      (index % 2 === 0 ? one : other).tasks.accept([acceptance(queuedTask(), 'k')]),
    );
    const answers = (await Promise.all(requests)).flat();
    const accepted = answers.filter(({ kind }) => kind === 'accepted');
    const replayed = answers.flatMap((answer) => (answer.kind === 'replayed' ? [answer.task.id] : []));
    expect([accepted.length, replayed.length, new Set(replayed).size]).toEqual([1, 39, 1]);
    expect([(await one.tasks.list(query)).total, (await jobsIn(url)).map(({ id }) => id)]).toEqual([1, [replayed[0]]]);
  });

  it('lets two batches with the same keys in another order pass each other', async () => {
    const keys = Array.from({ length: 20 }, (_, index) => `k${index}`);
    const batch = (names: readonly string[]): Acceptance[] => names.map((key) => acceptance(queuedTask(), key));
    const answers = await Promise.all([one.tasks.accept(batch(keys)), other.tasks.accept(batch(keys.toReversed()))]);
    const kinds = answers.map((each) => new Set(each.map(({ kind }) => kind)));
    expect(kinds.map((each) => [...each].join()).sort()).toEqual(['accepted', 'replayed']);
  });

  it('lets one of them end a task, and counts it once', async () => {
    const tasks = Array.from({ length: 20 }, () => queuedTask({ status: 'running' }));
    await one.tasks.accept(tasks.map((task) => acceptance(task)));
    const end = ({ tasks: store }: Opened, ids: readonly TaskRecord[]) =>
      Promise.all(ids.map(({ id }) => store.settle(id, { change: { status: 'success' }, next: null })));
    const [ours, theirs] = await Promise.all([end(one, tasks), end(other, tasks.toReversed())]);
    expect([...ours, ...theirs].filter((task) => task !== null)).toHaveLength(20);
    expect([(await one.tasks.totals()).success, await jobsIn(url)]).toEqual([20, []]);
  });

  it('does not take a running asynchronous task for abandoned: its job is handed out again by itself', async () => {
    await one.tasks.accept([acceptance(queuedTask())]);
    one.queue.work(() => new Promise(() => undefined), anyRoom);
    await until(async () => (await other.tasks.list({ ...query, status: 'running' })).total === 1);
    await one.replica.leave();
    clock.advance(15_000);
    expect(await other.tasks.abandoned()).toEqual([]);
  });

  it('is purged by one of them at a time, and counts what is left', async () => {
    await one.tasks.insert(taskRecord({ at: 1000 }));
    await Promise.all(taskRecords(20).map((task) => one.tasks.insert(task)));
    const keep = { maxTasks: 5, completedSince: 0, maxBytes: 1e15 };
    const removed = await Promise.all([one.tasks.purge(keep), other.tasks.purge(keep)]);
    expect(removed.reduce((sum, count) => sum + count)).toBe(16);
    expect((await other.tasks.list(query)).total).toBe(5);
  });

  it('leaves nothing of a purged task behind: no meta, no job, no bytes, no key', async () => {
    const texts = { plain: 'x', nul: 'a\u0000b', lone: '\ud800', '"': '\\' };
    const task = queuedTask({ status: 'error', completedAt: clock.now(), meta: texts });
    await one.tasks.accept([acceptance(task, 'k')]);
    clock.advance(60_000);
    expect(await one.tasks.purge({ maxTasks: 0, completedSince: 0, maxBytes: 1e15 })).toBe(1);
    const count = (table: string): string => `(SELECT count(*)::int FROM ${table})`;
    const tables = ['tasks', 'task_meta', 'idempotency_keys'].map((name) => `${SCHEMA}.${name}`);
    const counts = [...tables, `${JOBS_SCHEMA}.job`].map(count).join(' + ');
    const sums = `SELECT sum(tasks)::int AS tasks, sum(bytes)::int AS bytes, sum(jobs)::int AS jobs FROM ${SCHEMA}.task_totals`;
    expect(await rows(`SELECT ${counts} AS rows, totals.* FROM (${sums}) AS totals`)).toEqual([
      { rows: 0, tasks: 0, bytes: 0, jobs: 0 },
    ]);
  });

  it('is purged while another takes a key whose time is over', async () => {
    const task = queuedTask({ status: 'error', completedAt: clock.now() });
    await one.tasks.accept([acceptance(task, 'k')]);
    clock.advance(60_000);
    await other.connection.transaction(async (session) => {
      await lockKeysOf([task.id], session);
      expect(await one.tasks.purge({ maxTasks: 0, completedSince: 0, maxBytes: 1e15 })).toBe(1);
    });
    await one.tasks.purge({ maxTasks: 0, completedSince: 0, maxBytes: 1e15 });
    expect(await rows(`SELECT * FROM ${SCHEMA}.idempotency_keys`)).toEqual([]);
  });

  it('keeps half a surrogate pair in a name, which PostgreSQL itself does not take', async () => {
    const tasks = [taskRecord({ dropletName: 'lone \ud83d' }), taskRecord({ dropletName: 'lone \udbff' })];
    await one.tasks.accept([acceptance({ ...queuedTask(), dropletName: 'lone \ud83d' })]);
    for (const task of tasks) await one.tasks.insert(task);
    expect((await one.tasks.list({ ...query, dropletName: 'LONE \udbff' })).tasks).toEqual([tasks[1]]);
    expect((await one.tasks.list({ ...query, dropletName: 'lone \ud83d' })).tasks).toHaveLength(2);
  });

  it.each([
    ['all', {}, 'tasks_pkey'],
    ['a status', { status: 'error' }, 'tasks_by_status'],
    ['a droplet and a status', { dropletName: 'echo1', status: 'error' }, 'tasks_by_(droplet|status)'],
    ['a caller and a status', { caller: 'ann', status: 'success' }, 'tasks_by_caller_and_status'],
    [
      'a caller, a droplet and a status',
      { caller: 'ann', dropletName: 'echo1', status: 'success' },
      'tasks_by_caller_and_droplet',
    ],
    ['meta', { meta: { a: 'b' } }, 'task_meta_(pkey|by_task)'],
    [
      'many of meta',
      { meta: Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`k${index}`, 'v'])) },
      'task_meta_pkey',
    ],
  ])('reads a list by %s from an index', async (_title, filters, index) => {
    const tasks = taskRecords(300, { meta: { a: 'b' } }).map((task, index) => ({
      ...task,
      caller: ['ann', 'bob'][index % 2] ?? '',
      status: FINAL_STATUSES[index % FINAL_STATUSES.length] ?? 'success',
      dropletName: `echo${index % 3}`,
    }));
    await Promise.all(tasks.map((task) => one.tasks.insert(task)));
    await rows(`ANALYZE ${SCHEMA}.tasks, ${SCHEMA}.task_meta`);
    const plan = await one.connection.transaction(async (session) => {
      await session.query({ text: 'SET LOCAL enable_seqscan = off' });
      const { text, values = [] } = pageStatement({ ...query, ...filters });
      return session.query({ text: `EXPLAIN ${text}`, values });
    });
    const steps = plan.map((row) => String(row['QUERY PLAN'])).join('\n');
    expect(steps).toMatch(new RegExp(index));
    expect(steps).not.toContain('Seq Scan');
  });

  const droplet = (id: number, name: string): OwnDroplet => ({
    ...{ id, name, endpoint: 'http://e.test', version: null, metadata: null, steward: null, status: 'active' },
    ...{ proof: null, cost_usd: 0, yield_usd: 0, registered_at: null, updated_at: null, heartbeat: null },
  });

  it('gives a droplet to one of two that register the same name at once', async () => {
    const put = ({ droplets }: Opened, id: number) => droplets.put(droplet(id, 'echo'), null);
    expect((await Promise.all([put(one, 1), put(other, 2)])).sort()).toEqual([false, true]);
    expect(await one.droplets.all()).toHaveLength(1);
  });

  it('tells the other of a droplet that one of them has registered', async () => {
    let told = 0;
    other.droplets.onChange(() => told++);
    await one.droplets.put(droplet(1, 'echo'), null);
    await until(() => {
      clock.advance(1);
      return told > 0;
    });
    expect(clock.monotonic()).toBeLessThan(10_000);
    // Whatever is missed is found by a look now and then.
    one.bus.send = () => undefined;
    await one.droplets.remove(droplet(1, 'echo'));
    clock.advance(10_000);
    await until(() => told > 1);
  });
});
