import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Job, TaskQueue } from '../../src/tasks/task.queue.js';
import type { TaskRecord } from '../../src/tasks/task.js';
import type { TaskStore } from '../../src/tasks/task.store.js';
import { until } from '../support/http.client.js';
import { ManualClock } from '../support/manual.clock.js';
import { queuedTask } from '../support/task.factory.js';

/** An empty queue with the store that fills it, and how to leave them. */
export interface TaskQueueUnderTest {
  readonly queue: TaskQueue;
  readonly store: TaskStore;
  readonly close: () => void | Promise<void>;
}

/** How many jobs may run side by side. */
export interface Limits {
  readonly perLane: number;
  readonly inAll: number;
}

/** A job that the worker holds until the test ends it. */
interface Held {
  readonly job: Job;
  readonly abort: AbortSignal;
  /** Settles the task as a success, and gives the place back. */
  readonly end: () => Promise<void>;
  /** Gives the place back: the task is settled already. */
  readonly leave: () => void;
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

/** What every TaskQueue must do, together with the store that its jobs stand in. */
export function taskQueueContract(
  name: string,
  open: (clock: ManualClock, limits: Limits) => TaskQueueUnderTest | Promise<TaskQueueUnderTest>,
): void {
  describe(`TaskQueue: ${name}`, () => {
    let clock: ManualClock;
    let subject: TaskQueueUnderTest;
    let held: Held[];
    let perLane = 64;
    const room = () => ({ most: perLane, now: perLane, askAgainMs: 1000 });

    beforeEach(() => {
      clock = new ManualClock();
      held = [];
    });
    afterEach(async () => {
      subject.queue.stop();
      for (const { end } of held) await end();
      await subject.close();
    });

    const start = async (limits: Partial<Limits> = {}): Promise<void> => {
      ({ perLane } = { perLane: 64, ...limits });
      subject = await open(clock, { perLane, inAll: 1024, ...limits });
    };
    const jobOf = (task: TaskRecord, change: Partial<Job> = {}): Job => ({
      ...{ id: task.id, kind: 'task', lane: 'a', priority: 5, dueAt: clock.now(), deadlineAt: clock.now() + 1000 },
      ...{ attemptsBefore: 0, delayMs: 0, interruptions: 0, isCharged: true },
      ...change,
    });
    /** Accepts one task for each change of its job; resolves with their ids. */
    const add = async (...changes: readonly Partial<Job>[]): Promise<string[]> => {
      const tasks = changes.map(() => queuedTask());
      await subject.store.accept(tasks.map((task, index) => ({ task, job: jobOf(task, changes[index]), key: null })));
      return tasks.map(({ id }) => id);
    };
    const work = (): void =>
      subject.queue.work(
        (job, { abort }) =>
          new Promise((resolve) => {
            let isOver = false;
            const end = async (): Promise<void> => {
              if (isOver) return;
              isOver = true;
              await subject.store.settle(job.id, { change: { status: 'success' }, next: null });
              resolve();
            };
            held.push({ job, abort, end, leave: resolve });
          }),
        room,
      );
    const handed = (): string[] => held.map(({ job }) => job.id);
    const lanes = (): string[] => held.map(({ job }) => job.lane);
    const ended = (index: number): Promise<void> => held[index]!.end();
    /** A queue of many processes counts what the others do now and then. */
    const sizeIs = (size: number): Promise<boolean> =>
      until(() => {
        if (subject.queue.size !== size) clock.advance(100);
        return subject.queue.size === size;
      });
    const isHanded = (count: number): Promise<boolean> => until(() => held.length >= count);

    it('hands out nothing before somebody works', async () => {
      await start();
      await add({});
      await settled();
      expect(handed()).toEqual([]);
      work();
      await isHanded(1);
    });

    it('hands out a job as it was put in, and marks its task as running', async () => {
      await start();
      const [id] = await add({ priority: 7, attemptsBefore: 3, delayMs: 250, interruptions: 2 });
      work();
      await isHanded(1);
      expect(held[0]?.job).toEqual(
        jobOf(queuedTask(), { id: id!, priority: 7, attemptsBefore: 3, delayMs: 250, interruptions: 2 }),
      );
      expect((await subject.store.get(id!))?.status).toBe('running');
    });

    it('is woken by a job that is added, without any clock', async () => {
      await start();
      work();
      await add({});
      await isHanded(1);
      await add({ lane: 'b' });
      await isHanded(2);
    });

    it('hands out each job once', async () => {
      await start();
      const before = await add(...Array.from({ length: 20 }, () => ({})));
      work();
      const after = await add({ lane: 'b' });
      await isHanded(21);
      await settled();
      expect(handed().sort()).toEqual([...before, ...after].sort());
    });

    it('takes the highest priority first, and of those the one that was put in and due first', async () => {
      await start({ perLane: 1 });
      const ids: string[] = [];
      for (const priority of [5, 0, 9, 5, 9]) {
        ids.push(...(await add({ priority })));
        clock.advance(1);
      }
      work();
      for (let index = 0; index < 5; index++) {
        await isHanded(index + 1);
        await ended(index);
      }
      expect(handed()).toEqual([2, 4, 0, 3, 1].map((index) => ids[index]));
    });

    it('hands out a job when it is due, not before', async () => {
      await start();
      const at = clock.now();
      work();
      const ids = await add({ dueAt: at + 5000 }, { dueAt: at + 1000 }, { dueAt: at + 60 * 86_400_000, lane: 'b' });
      clock.advance(999);
      await settled();
      expect(handed()).toEqual([]);
      clock.advance(1);
      await isHanded(1);
      clock.advance(3999);
      await settled();
      expect(handed()).toEqual([ids[1]]);
      clock.advance(1);
      await isHanded(2);
      clock.advance(60 * 86_400_000);
      await isHanded(3);
      expect(handed()).toEqual([ids[1], ids[0], ids[2]]);
    });

    it('lets a job that is due overtake a more urgent one that is not', async () => {
      await start();
      const [, due] = await add({ priority: 9, dueAt: clock.now() + 1000 }, { priority: 0 });
      work();
      await isHanded(1);
      expect(handed()).toEqual([due]);
    });

    it('sleeps less when an earlier job comes', async () => {
      await start();
      work();
      await add({ dueAt: clock.now() + 10_000 });
      const [early] = await add({ dueAt: clock.now() + 10, lane: 'b' });
      clock.advance(10);
      await isHanded(1);
      expect(handed()).toEqual([early]);
    });

    it('runs no more of one lane than its limit, and goes on as each ends', async () => {
      await start({ perLane: 2 });
      await add({}, {}, {}, {}, {});
      work();
      await isHanded(2);
      await settled();
      expect(held).toHaveLength(2);
      await ended(0);
      await isHanded(3);
      await settled();
      expect(held).toHaveLength(3);
      await ended(1);
      await ended(2);
      await isHanded(5);
    });

    it('a full lane holds no other', async () => {
      await start({ perLane: 1 });
      await add(...Array.from({ length: 10 }, () => ({ lane: 'slow', priority: 9 })), { lane: 'b', priority: 0 }, { lane: 'c' });
      work();
      await isHanded(3);
      await settled();
      expect(lanes().sort()).toEqual(['b', 'c', 'slow']);
    });

    it('runs no more in all than the limit, and then the others in turn', async () => {
      await start({ perLane: 10, inAll: 2 });
      work();
      await add({ lane: 'a' }, { lane: 'a' }, { lane: 'a' });
      await isHanded(2);
      await add({ lane: 'b' }, { lane: 'c' });
      await settled();
      expect(held).toHaveLength(2);
      for (let index = 0; index < 5; index++) {
        await isHanded(index + 1);
        await ended(index);
      }
      expect(lanes().sort()).toEqual(['a', 'a', 'a', 'b', 'c']);
    });

    it('cuts off the job of a task that runs here, and no other', async () => {
      await start();
      const [one, other] = await add({}, {});
      work();
      await isHanded(2);
      expect([subject.queue.abort(one!), subject.queue.abort('no such task')]).toEqual([true, false]);
      const aborted = held.filter(({ abort }) => abort.aborted).map(({ job }) => job.id);
      expect([aborted, handed().includes(other!)]).toEqual([[one], true]);
    });

    it('cannot cut off a job that waits or is over', async () => {
      await start();
      const [later, now] = await add({ dueAt: clock.now() + 1000 }, {});
      work();
      await isHanded(1);
      await ended(0);
      await until(() => !subject.queue.abort(now!));
      expect(subject.queue.abort(later!)).toBe(false);
    });

    it('never hands out a task that was cancelled while it waited', async () => {
      await start();
      const [id] = await add({ dueAt: clock.now() + 1000 });
      work();
      await subject.store.settle(id!, { change: { status: 'cancelled' }, next: null });
      clock.advance(5000);
      await add({});
      await isHanded(1);
      await settled();
      expect(handed()).not.toContain(id);
      expect(held).toHaveLength(1);
    });

    it('goes on after a job whose handler fails, and hands it out again a second later', async () => {
      await start({ perLane: 1 });
      const seen: Job[] = [];
      subject.queue.work(async (job) => {
        seen.push(job);
        if (seen.length === 1) throw new Error('a bug of ours');
        await subject.store.settle(job.id, { change: { status: 'success' }, next: null });
      }, room);
      const ids = await add({}, {});
      await until(() => seen.length === 2);
      expect(seen.map(({ id }) => id).sort()).toEqual(ids.sort());
      clock.advance(999);
      await settled();
      expect(seen).toHaveLength(2);
      await until(() => {
        clock.advance(100);
        return seen.length === 3;
      });
      expect(seen[2]).toMatchObject({ id: seen[0]!.id, interruptions: 1 });
    });

    it('hands out no more once it is stopped, and lets those that run go on', async () => {
      await start({ perLane: 1 });
      await add({}, {});
      work();
      await isHanded(1);
      subject.queue.stop();
      expect(held[0]?.abort.aborted).toBe(false);
      await ended(0);
      await add({ lane: 'b' }, { lane: 'b', dueAt: clock.now() + 10 });
      clock.advance(1000);
      await settled();
      expect(held).toHaveLength(1);
    });

    it('tells how many jobs wait or run', async () => {
      await start();
      expect(subject.queue.size).toBe(0);
      work();
      const [, later] = await add({}, { dueAt: clock.now() + 86_400_000 });
      await sizeIs(2);
      await isHanded(1);
      await sizeIs(2);
      await ended(0);
      await sizeIs(1);
      await subject.store.settle(later!, { change: { status: 'cancelled' }, next: null });
      await sizeIs(0);
    });

    it('hands out a callback without touching its task', async () => {
      await start();
      const task = queuedTask({ status: 'success', callback: { status: 'pending', attempts: 0, last_error: null } });
      await subject.store.insert(task, jobOf(task, { kind: 'callback', lane: 'callback http://hook.test' }));
      work();
      await isHanded(1);
      expect(held[0]?.job.kind).toBe('callback');
      expect(await subject.store.get(task.id)).toEqual(task);
    });

    it('hands out a job again when it was put back', async () => {
      await start();
      work();
      const [id] = await add({});
      await isHanded(1);
      const next = { ...held[0]!.job, dueAt: clock.now() + 500, delayMs: 500 };
      await subject.store.settle(id!, { change: { status: 'queued' }, next });
      held[0]?.leave();
      await sizeIs(1);
      clock.advance(500);
      await isHanded(2);
      expect(held[1]?.job).toEqual(next);
    });

    it('hands out a job that was put back only when its run before has ended', async () => {
      await start();
      work();
      const [id] = await add({});
      await isHanded(1);
      await subject.store.settle(id!, { change: { status: 'queued' }, next: held[0]!.job });
      await until(async () => (await subject.store.get(id!))?.status === 'running');
      expect(held).toHaveLength(1);
      held[0]?.leave();
      await isHanded(2);
      expect(subject.queue.abort(id!)).toBe(true);
      expect([held[0]?.abort.aborted, held[1]?.abort.aborted]).toEqual([false, true]);
    });
  });
}
