import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { taskQueueContract } from '../../../test/contracts/task.queue.contract.js';
import { until } from '../../../test/support/http.client.js';
import { ManualClock } from '../../../test/support/manual.clock.js';
import { openSqlite } from '../../../test/support/sqlite.js';
import { queuedTask } from '../../../test/support/task.factory.js';

taskQueueContract('SQLite in memory', (clock, { inAll }) => {
  const { queue, tasks: store, close } = openSqlite(':memory:', clock, inAll);
  return { queue, store, close };
});

taskQueueContract('SQLite in a file', (clock, { inAll }) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'queue-'));
  const { queue, tasks: store, close } = openSqlite(path.join(folder, 'tasks.db'), clock, inAll);
  const closeAndRemove = (): void => {
    close();
    rmSync(folder, { recursive: true });
  };
  return { queue, store, close: closeAndRemove };
});

describe('SqliteTaskQueue', () => {
  it('needs no clock for what is due, and leaves no timer behind when it is stopped', async () => {
    const clock = new ManualClock();
    const { queue, tasks, close } = openSqlite(':memory:', clock);
    const times = { deadlineAt: clock.now() + 1000, attemptsBefore: 0, delayMs: 0, interruptions: 0, isCharged: true };
    const add = async (dueAt: number): Promise<void> => {
      const task = queuedTask();
      await tasks.accept([{ task, job: { id: task.id, kind: 'task', lane: 'a', priority: 5, dueAt, ...times }, key: null }]);
    };
    let handed = 0;
    queue.work(
      () => {
        handed++;
        return Promise.resolve();
      },
      () => ({ most: 64, now: 64, askAgainMs: 0 }),
    );
    await add(clock.now());
    await until(() => handed === 1);
    expect(clock.waits).toEqual([]);
    await add(clock.now() + 10);
    expect(clock.waiting).toEqual([10]);
    queue.stop();
    expect(clock.waiting).toEqual([]);
    close();
  });

  it.each([
    ['a few lanes with many jobs', 2, 300],
    ['many lanes with a job each', 20, 1],
  ])('tells for how long the oldest job of %s has been due', async (_title, lanes, jobsOfEach) => {
    const clock = new ManualClock();
    const { queue, tasks, close } = openSqlite(':memory:', clock);
    const times = { deadlineAt: clock.now() + 9000, attemptsBefore: 0, delayMs: 0, interruptions: 0, isCharged: true };
    const put = Array.from({ length: lanes * jobsOfEach }, (_, index) => {
      const task = queuedTask();
      const place = { lane: `lane ${index % lanes}`, priority: index % 10, dueAt: clock.now() + 5000 - index };
      return { task, job: { id: task.id, kind: 'task' as const, ...place, ...times }, key: null };
    });
    await tasks.accept(put);
    queue.work(
      () => Promise.resolve(),
      () => ({ most: 0, now: 0, askAgainMs: 0 }),
    );
    expect(queue.figures()).toEqual({ waiting: put.length, running: 0, oldestDueMs: 0 });
    clock.advance(6000);
    expect(queue.figures().oldestDueMs).toBe(1000 + put.length - 1);
    queue.stop();
    close();
  });
});
