import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { dropletStoreContract } from '../../../test/contracts/droplet.store.contract.js';
import { taskStoreContract } from '../../../test/contracts/task.store.contract.js';
import { firstJob } from '../../tasks/task.jobs.js';
import type { Job } from '../../tasks/task.queue.js';
import { openSqlite, storesOf } from '../../../test/support/sqlite.js';
import { ManualClock } from '../../../test/support/manual.clock.js';
import { queuedTask, taskRecord, taskRecords } from '../../../test/support/task.factory.js';

function openFile(clock = new ManualClock()) {
  const folder = mkdtempSync(path.join(tmpdir(), 'store-'));
  const { close, ...opened } = openSqlite(path.join(folder, 'tasks.db'), clock);
  const closeAndRemove = (): void => {
    close();
    rmSync(folder, { recursive: true });
  };
  return { ...opened, close: closeAndRemove };
}

/** The jobs table as it is. */
const jobsOf = (database: DatabaseSync): Job[] =>
  database
    .prepare('SELECT * FROM jobs')
    .all()
    .map((row) => ({
      ...{ id: String(row.id), kind: row.kind as Job['kind'], lane: String(row.lane), priority: Number(row.priority) },
      ...{ dueAt: Number(row.due_at), deadlineAt: Number(row.deadline_at), attemptsBefore: Number(row.attempts_before) },
      ...{ delayMs: Number(row.delay_ms), interruptions: Number(row.interruptions), isCharged: row.charged === 1 },
    }));

const PLACES = [
  ['SQLite in memory', (clock?: ManualClock) => openSqlite(':memory:', clock)],
  ['SQLite in a file', openFile],
] as const;

for (const [name, place] of PLACES) {
  taskStoreContract(name, (clock) => {
    const { tasks: store, database, commits, close } = place(clock);
    const successor = () => storesOf({ database, commits }, clock).tasks;
    return { store, jobs: () => Promise.resolve(jobsOf(database)), successor, close };
  });
  dropletStoreContract(name, () => {
    const { droplets: store, close } = place();
    return { store, close };
  });
}

describe('SqliteTaskStore', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'store-'));
    file = path.join(folder, 'tasks.db');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  const query = { meta: {}, limit: 10 };

  it('has its tasks, their number and the totals after it was opened again', async () => {
    const tasks = taskRecords(3, { meta: { a: 'b' }, retryCount: 1 });
    const before = openSqlite(file);
    await Promise.all(tasks.map((task) => before.tasks.insert(task)));
    before.close();

    const after = openSqlite(file);
    const reopened = after.tasks;
    expect(await reopened.list(query)).toMatchObject({ tasks: [...tasks].reverse(), total: 3 });
    expect(await reopened.list({ ...query, meta: { a: 'b' } })).toMatchObject({ total: 3 });
    expect(await reopened.totals()).toMatchObject({ success: 3, retries: 3, retriedToSuccess: 3 });
    after.close();
  });

  it('leaves nothing of a purged task behind, whatever its meta', async () => {
    const { database, tasks: store, close } = openSqlite(file);
    await store.insert(taskRecord({ meta: { plain: 'x', nul: 'a\u0000b', lone: '\ud800', '"': '\\' } }));
    await store.purge({ maxTasks: 0, completedSince: 0, maxBytes: 1e15 });
    const left = database.prepare('SELECT (SELECT COUNT(*) FROM tasks) AS tasks, (SELECT COUNT(*) FROM task_meta) AS meta').get();
    expect({ ...left }).toEqual({ tasks: 0, meta: 0 });
    close();
  });

  it('removes idempotency keys whose time is over in small steps, also while no task may go', async () => {
    const clock = new ManualClock();
    const { database, tasks: store, close } = openSqlite(file, clock);
    const keys = Array.from({ length: 450 }, (_, index) => `k${index}`);
    const acceptances = keys.map((key, index) => ({
      ...{ task: queuedTask(), job: null },
      key: { caller: '', key, fingerprint: 'f', expiresAt: clock.now() + (index < 440 ? 1000 : 2000) },
    }));
    await store.accept(acceptances);
    clock.advance(1000);
    const left: number[] = [];
    while ((await store.purge({ maxTasks: 1e9, completedSince: 0, maxBytes: 1e15 })) > 0) {
      left.push(Number(database.prepare('SELECT COUNT(*) AS keys FROM idempotency_keys').get()?.keys));
    }
    expect(left).toEqual([250, 50, 10]);
    expect((await store.list(query)).total).toBe(450);
    close();
  });

  it('does not count a task that could not be written', async () => {
    const { database, tasks: store, close } = openSqlite(file);
    const task = taskRecord();
    await store.insert(task);
    database.exec('PRAGMA query_only = 1');
    await expect(store.insert(taskRecord())).rejects.toThrow('store cannot be written');
    expect(store.isWritable).toBe(false);
    expect([(await store.list(query)).total, (await store.totals()).success]).toEqual([1, 1]);
    expect(await store.get(task.id)).toEqual(task);
    close();
  });

  it('takes what became of a callback from the callback of the same end of the task, and no other', async () => {
    const { tasks: store, database, close } = openSqlite(file);
    const task = taskRecord({ callback: { status: 'pending', attempts: 0, last_error: null } });
    const job = { ...firstJob(task, 5, 1000), kind: 'callback' } as const;
    await store.insert(task, job);
    const delivered = { status: 'delivered', attempts: 1, last_error: null } as const;
    await store.settleCallback(task.id, { callback: delivered, next: null, lease: String(job.deadlineAt - 1) });
    expect([await store.get(task.id), jobsOf(database)]).toEqual([task, [job]]);
    await store.settleCallback(task.id, { callback: delivered, next: null, lease: String(job.deadlineAt) });
    expect([(await store.get(task.id))?.callback, jobsOf(database)]).toEqual([delivered, []]);
    close();
  });

  it('keeps a task whose meta has two keys that are one to SQLite', async () => {
    const { tasks: store, close } = openSqlite(file);
    const task = taskRecord({ meta: { '\ud800': 'x', '\ud801': 'x' } });
    await store.insert(task);
    expect((await store.get(task.id))?.meta).toEqual(task.meta);
    close();
  });

  it.each([
    ['all', {}, /SCAN lead USING COVERING INDEX sqlite_autoindex_tasks_1|SEARCH lead/],
    ['a status', { status: 'error' }, /SEARCH lead USING COVERING INDEX tasks_by_status/],
    ['a droplet', { dropletName: 'echo' }, /SEARCH lead USING COVERING INDEX tasks_by_droplet/],
    ['a droplet and a status', { dropletName: 'echo', status: 'error' }, /tasks_by_droplet|tasks_by_status/],
    ['meta', { meta: { a: 'b' } }, /SEARCH lead USING PRIMARY KEY/],
    ['two of meta', { meta: { a: 'b', c: 'd' } }, /SEARCH other (EXISTS )?USING PRIMARY KEY/],
  ])('reads a list by %s from an index, without sorting', async (_title, filters, expected) => {
    const { database, tasks: store, close } = openSqlite(file);
    const texts: string[] = [];
    const prepare = database.prepare.bind(database);
    database.prepare = (text) => {
      texts.push(text);
      return prepare(text);
    };
    await store.list({ ...query, ...filters });
    database.prepare = prepare;
    const page = texts.find((text) => text.includes('ORDER BY'))!;
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${page}`).all(...Array.from(page.matchAll(/\?/g), () => 'x'));
    const steps = plan.map(({ detail }) => String(detail)).join('\n');
    expect(steps).toMatch(expected);
    expect(steps).not.toContain('TEMP B-TREE');
    close();
  });
});
