import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../test/support/manual.clock.js';
import { until } from '../../test/support/http.client.js';
import { openSqlite } from '../../test/support/sqlite.js';
import { taskRecord, taskRecords } from '../../test/support/task.factory.js';
import { createLog } from '../common/log.js';
import { parseSettings, type Settings } from '../config/settings.js';
import { TaskRetention } from './retention.js';
import type { TaskRecord } from './task.js';
import type { TaskStore } from './task.store.js';

const HOUR = 3_600_000;

describe('TaskRetention', () => {
  let open: ReturnType<typeof openSqlite>;
  let clock: ManualClock;
  let store: TaskStore;
  let retention: TaskRetention;
  let logged: string[];

  beforeEach(() => {
    clock = new ManualClock(Date.UTC(2026, 5, 1));
    logged = [];
    open = openSqlite(':memory:', clock);
    store = open.tasks;
  });

  afterEach(() => {
    retention.onModuleDestroy();
    open.close();
  });

  const start = (environment: Record<string, string>): void => startWith(parseSettings(environment));
  const startWith = (settings: Settings): void => {
    const log = createLog('warn', { write: (line: string) => void logged.push((JSON.parse(line) as { msg: string }).msg) });
    retention = new TaskRetention(store, settings, clock, log);
    retention.onApplicationBootstrap();
  };
  const insert = async (tasks: readonly TaskRecord[]): Promise<void> => {
    await Promise.all(tasks.map((task) => store.insert(task)));
  };
  const left = async (): Promise<number> => (await store.list({ meta: {}, limit: 1 })).total;
  /** Resolves when a step has ended: the pause after it has begun. */
  const pause = async (): Promise<number> => await until(() => clock.waiting[0]);

  it('looks every ten seconds when there is nothing to remove', async () => {
    start({});
    expect(await pause()).toBe(10_000);
    await insert([taskRecord({ at: clock.now() })]);
    clock.advance(10_000);
    expect(await pause()).toBe(10_000);
    expect(await left()).toBe(1);
  });

  it('removes too many in steps with short pauses, until the number is right', async () => {
    await insert(taskRecords(450));
    start({ TASK_MAX_HISTORY: '20', TASK_RETENTION_HOURS: '900000' });
    const totals: number[] = [];
    for (let wait = await pause(); wait < 10_000; wait = await pause()) {
      totals.push(await left());
      clock.advance(wait);
    }
    expect(totals.length).toBeGreaterThanOrEqual(3);
    expect([totals.at(-1), await left()]).toEqual([20, 20]);
  });

  it('removes what grows too old while it runs', async () => {
    await insert([taskRecord({ at: clock.now() - 2 * HOUR }), taskRecord({ at: clock.now() - HOUR + 5000 })]);
    start({ TASK_RETENTION_HOURS: '1' });
    expect(await pause()).toBe(5);
    expect(await left()).toBe(1);
    clock.advance(5);
    expect(await pause()).toBe(10_000);
    expect(await left()).toBe(1);
    clock.advance(10_000);
    await pause();
    expect(await left()).toBe(0);
  });

  it('keeps young tasks when the time to keep them is no whole number of milliseconds', async () => {
    await insert([taskRecord({ at: clock.now() })]);
    startWith(Object.assign(parseSettings({}), { TASK_RETENTION_HOURS: 1_199_999.88 }));
    expect(await pause()).toBe(10_000);
    expect(await left()).toBe(1);
  });

  it('waits while the store fails, and goes on by itself', async () => {
    await insert(taskRecords(3));
    open.database.exec('PRAGMA query_only = 1');
    start({ TASK_MAX_HISTORY: '1', TASK_RETENTION_HOURS: '900000' });
    await until(() => clock.waiting.includes(10_000));
    expect(logged).toEqual(['old tasks not removed']);
    clock.advance(10_000);
    await until(() => clock.waiting.includes(10_000));
    expect([logged.length, await left()]).toEqual([1, 3]);
    open.database.exec('PRAGMA query_only = 0');
    clock.advance(500);
    clock.advance(9500);
    await until(async () => (await left()) === 1);
  });

  it('ends at once when the process does', async () => {
    start({});
    await pause();
    retention.onModuleDestroy();
    expect(clock.waiting).toEqual([]);
  });
});
