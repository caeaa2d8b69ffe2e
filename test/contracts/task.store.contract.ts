import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FINAL_STATUSES, MOVES, TASK_STATUSES, type TaskRecord } from '../../src/tasks/task.js';
import type { Job } from '../../src/tasks/task.queue.js';
import { firstIdOf } from '../../src/tasks/task.id.js';
import type { Acceptance, IdempotencyKey, TaskQuery, TaskStore } from '../../src/tasks/task.store.js';
import { ManualClock } from '../support/manual.clock.js';
import { queuedTask, taskRecord, taskRecords, taskRequest } from '../support/task.factory.js';

/** An empty store, and how to leave it. */
export interface TaskStoreUnderTest {
  readonly store: TaskStore;
  /** The jobs that the store holds, in no order. */
  readonly jobs: () => Promise<readonly Job[]>;
  /** The store as a process sees it that begins after the death of this one. */
  readonly successor: () => TaskStore | Promise<TaskStore>;
  readonly close: () => void | Promise<void>;
}

const KEEP_ALL = { maxTasks: 1e9, completedSince: 0, maxBytes: 1e15 };

/** What every TaskStore must do. */
export function taskStoreContract(
  name: string,
  open: (clock: ManualClock) => TaskStoreUnderTest | Promise<TaskStoreUnderTest>,
): void {
  describe(`TaskStore: ${name}`, () => {
    let subject: TaskStoreUnderTest;
    let store: TaskStore;
    let clock: ManualClock;

    beforeEach(async () => {
      clock = new ManualClock();
      subject = await open(clock);
      store = subject.store;
    });

    afterEach(async () => {
      await subject.close();
    });

    const insert = async (...tasks: readonly TaskRecord[]): Promise<void> => {
      await Promise.all(tasks.map((task) => store.insert(task)));
    };
    const list = (query: Partial<TaskQuery> = {}) => store.list({ meta: {}, limit: 100, ...query });
    const listed = async (query: Partial<TaskQuery> = {}): Promise<string[]> => (await list(query)).tasks.map(({ id }) => id);
    const ids = (tasks: readonly TaskRecord[]): string[] => tasks.map(({ id }) => id);
    const purgeAll = async (limits: Partial<typeof KEEP_ALL>): Promise<number[]> => {
      const steps: number[] = [];
      for (let removed = -1; removed !== 0; steps.push(removed)) removed = await store.purge({ ...KEEP_ALL, ...limits });
      return steps.slice(0, -1);
    };

    describe('insert and get', () => {
      it('gives back every field of a task as it was put in', async () => {
        const task = taskRecord({
          ...{
            dropletName: 'ÉchO "x"',
            targetUrl: 'http://e.test/a?b=%20',
            method: 'PATCH',
            path: '/a?b=%20',
            status: 'timeout',
          },
          ...{ responseStatus: 503, responseBody: '{"big":9007199254740993,"n":1e400}', retryCount: 3, attempts: 4 },
          ...{ durationMs: 4321, priority: 9, meta: { by: 'me', '': 'empty key', emoji: '🙂', nul: 'a\u0000b' } },
          error: {
            code: 'TIMEOUT',
            message: 'Timeout',
            details: { effect: 'unknown', stopped_by: 'deadline', droplet_status: 'error' },
          },
          runAt: 1_767_225_600_123,
          callback: { status: 'failed', attempts: 2, last_error: 'no' },
          request: taskRequest({
            payload: '{"big":9007199254740993}',
            headers: { 'x-a': 'b' },
            timeoutMs: 5,
            retryUnsafe: false,
          }),
          history: [
            {
              ...{ attempt: 1, started_at: 1_767_225_600.25, duration_ms: 7, response_status: null },
              ...{ error_code: 'DROPLET_UNREACHABLE', delay_ms: 0, endpoint: null, effect: 'unknown' },
            },
          ],
        });
        await insert(task);
        expect(await store.get(task.id)).toEqual(task);
      });

      it('keeps what is null as null', async () => {
        const task = taskRecord({ responseStatus: null, responseBody: 'null', error: null, meta: null });
        await insert(task);
        expect(await store.get(task.id)).toEqual(task);
      });

      const ODD = 'NUL \u0000, half a pair \ud83d, the other \ude00 and \udbff at the end \udbff';
      it.each<[string, Partial<TaskRecord>]>([
        ['numbers that JavaScript does not keep', { responseBody: '{"a":9007199254740993,"b":1e400,"c":-0,"d":1.10,"e":1E5}' }],
        ['escapes as they were written', { responseBody: '"\\u0000\\ud83d\\/\\u00e9\\ud83d\\ude00"' }],
        ['the order and the doubles of keys', { responseBody: '{"b":1,"a":2, "b" : 3,"__proto__":4}' }],
        ['a payload', { request: taskRequest({ payload: '{"a":9007199254740993,"b":1e400,"c":"\\u0000\\ud83d"}' }) }],
        ['odd texts in meta', { meta: { [ODD]: 'key', value: ODD, ['"\\']: '' } }],
        ['an odd name', { dropletName: 'NUL \u0000, "quoted\\"' }],
        ['an odd last error', { callback: { status: 'pending', attempts: 1, last_error: ODD } }],
      ])('keeps %s', async (_title, change) => {
        const [whole, waiting] = [taskRecord(change), queuedTask(change)];
        await insert(whole);
        await accept({ ...acceptance(waiting), job: jobOf(waiting, { lane: `droplet ${waiting.dropletName}` }) });
        expect([await store.get(whole.id), await store.get(waiting.id)]).toEqual([whole, waiting]);
        expect(await listed({ dropletName: whole.dropletName, meta: whole.meta ?? {} })).toEqual([waiting.id, whole.id]);
        const { responseBody, request } = whole;
        await store.settle(waiting.id, { change: { status: 'running', responseBody, request }, next: null });
        expect(await store.get(waiting.id)).toEqual({ ...waiting, status: 'running', responseBody, request });
      });

      it.each(['', 'no-such-id', firstIdOf(0), '%', "' OR 1=1 --"])('finds nothing for the id "%s"', async (id) => {
        await insert(taskRecord());
        expect(await store.get(id)).toBeNull();
      });

      it('finds nothing for an id in upper case', async () => {
        const task = taskRecord({ id: '01890000-0000-7000-8000-00000000000a' });
        await insert(task);
        expect(await store.get(task.id.toUpperCase())).toBeNull();
        expect(await store.get(task.id)).toEqual(task);
      });
    });

    describe('list', () => {
      it('is empty when there is nothing', async () => {
        expect(await list()).toEqual({ tasks: [], total: 0, isTotalExact: true, hasMore: false });
      });

      it('shows the newest first, whole but for the history', async () => {
        const tasks = taskRecords(5, { meta: { a: 'b' } });
        const history = [
          {
            ...{ attempt: 1, started_at: 1, duration_ms: 1, response_status: 200 },
            ...{ error_code: null, delay_ms: 0, endpoint: 'http://e.test', effect: 'none' as const },
          },
        ];
        await insert(...tasks.map((task) => ({ ...task, history })));
        expect((await list()).tasks).toEqual([...tasks].reverse());
      });

      it('stops at the limit and says that there is more', async () => {
        await insert(...taskRecords(3));
        expect(await list({ limit: 2 })).toMatchObject({ tasks: { length: 2 }, total: 3, hasMore: true });
        expect(await list({ limit: 3 })).toMatchObject({ tasks: { length: 3 }, total: 3, hasMore: false });
      });

      const AT = Date.UTC(2026, 5, 1);
      const zoo = [
        taskRecord({ at: AT, dropletName: 'Echo', meta: { team: 'red' } }),
        taskRecord({ at: AT + 1, dropletName: 'echo', status: 'error', meta: { team: 'red', run: '1' } }),
        taskRecord({ at: AT + 2, dropletName: 'mail', status: 'timeout', meta: { team: 'blue', run: '1' } }),
        taskRecord({ at: AT + 3, dropletName: 'ÉCHO', meta: null }),
        taskRecord({ at: AT + 4, dropletName: 'mail', status: 'error', meta: { __proto: 'x', 'a.b': '1=1' } }),
      ];

      it.each<[string, Partial<TaskQuery>, number[]]>([
        ['a status', { status: 'error' }, [4, 1]],
        ['an unknown status', { status: 'no such' }, []],
        ['the empty status', { status: '' }, []],
        ['a status with NUL', { status: 'error\u0000' }, []],
        ['half a surrogate pair for a status', { status: '\ud83d' }, []],
        ['a droplet, whatever its case', { dropletName: 'ECHO' }, [1, 0]],
        ['a droplet beyond ASCII, whatever its case', { dropletName: 'écho' }, [3]],
        ['a droplet and a status', { dropletName: 'Mail', status: 'error' }, [4]],
        ['an unknown droplet', { dropletName: '__proto__' }, []],
        ['after, exclusive', { createdAfter: AT + 1 }, [4, 3, 2]],
        ['after a fraction of a millisecond', { createdAfter: AT + 0.5 }, [4, 3, 2, 1]],
        ['before, exclusive', { createdBefore: AT + 1 }, [0]],
        ['before a fraction of a millisecond', { createdBefore: AT + 1.5 }, [1, 0]],
        ['after and before', { createdAfter: AT, createdBefore: AT + 4 }, [3, 2, 1]],
        ['before the beginning of time', { createdBefore: 0 }, []],
        ['after the end of time', { createdAfter: 1e18 }, []],
        ['a droplet within a time', { dropletName: 'mail', createdAfter: AT + 2 }, [4]],
        ['meta', { meta: { team: 'red' } }, [1, 0]],
        ['meta with dots and signs', { meta: { 'a.b': '1=1' } }, [4]],
        ['two of meta, ANDed', { meta: { team: 'red', run: '1' } }, [1]],
        ['two of meta, in the other order', { meta: { run: '1', team: 'blue' } }, [2]],
        ['two of meta that no task has both', { meta: { team: 'blue', 'a.b': '1=1' } }, []],
        ['a value of meta in another case', { meta: { team: 'RED' } }, []],
        [
          'everything at once',
          { dropletName: 'echo', status: 'error', meta: { run: '1' }, createdAfter: AT, createdBefore: AT + 2 },
          [1],
        ],
      ])('filters by %s', async (_title, query, expected) => {
        await insert(...zoo);
        const page = await list(query);
        expect(page.tasks.map(({ id }) => zoo.findIndex((task) => task.id === id))).toEqual(expected);
        expect(page).toMatchObject({ total: expected.length, isTotalExact: true, hasMore: false });
      });

      it('takes a hundred meta filters', async () => {
        const meta = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`key${index}`, 'v']));
        const task = taskRecord({ meta });
        await insert(task, taskRecord({ meta: { ...meta, key99: 'other' } }));
        expect(await listed({ meta })).toEqual([task.id]);
      });

      it('shows one caller’s tasks alone, whatever else it is asked for', async () => {
        const meta = { shared: 'yes' };
        const of = (caller: string, change: Partial<TaskRecord> = {}) => taskRecord({ caller, meta, ...change });
        const ann = [of('ann'), of('ann', { dropletName: 'Other' }), of('ann', { status: 'error', meta: null })] as const;
        const bob = [of('bob'), of('bob', { dropletName: 'other', status: 'error' })] as const;
        await insert(...ann, ...bob, of(''));
        const [, , failed] = ann;
        const rare = { rare: 'yes' };
        const [annsRare, bobsRare] = [
          of('ann', { meta: rare, dropletName: 'third', status: 'timeout' }),
          of('bob', { meta: rare }),
        ];
        expect((await store.get(failed.id))?.caller).toBe('ann');
        const newest = (tasks: readonly TaskRecord[]) => ids(tasks).toReversed();
        expect(await listed({ caller: 'ann' })).toEqual(newest(ann));
        expect((await list({ caller: 'ann' })).tasks.map(({ caller }) => caller)).toEqual(['ann', 'ann', 'ann']);
        expect(await listed({ caller: 'ann', status: 'error' })).toEqual([failed.id]);
        expect(await listed({ caller: 'ann', dropletName: 'OTHER' })).toEqual([ann[1].id]);
        expect(await listed({ caller: 'bob', dropletName: 'Other', status: 'error' })).toEqual([bob[1].id]);
        expect(await listed({ caller: 'ann', meta })).toEqual(newest(ann.slice(0, 2)));
        expect(await listed({ caller: 'bob', meta, status: 'error', dropletName: 'other' })).toEqual([bob[1].id]);
        expect(await listed({ caller: 'ann', cursor: failed.id, limit: 1 })).toEqual([ann[1].id]);
        expect(await listed({ caller: 'ANN' })).toEqual([]);
        const page = await list({ caller: 'ann', limit: 1, cursor: failed.id });
        expect([page.total, page.isTotalExact, page.hasMore]).toEqual([3, true, true]);
        await insert(annsRare, bobsRare);
        expect(await listed({ caller: 'ann', meta: rare })).toEqual([annsRare.id]);
      });

      it('keeps whose a task is, whatever becomes of it', async () => {
        const task = queuedTask({ caller: 'ann' });
        await store.accept([{ task, job: null, key: null }]);
        expect((await store.settle(task.id, { change: { status: 'cancelled' }, next: null }))?.caller).toBe('ann');
        expect(await listed({ caller: 'ann', status: 'cancelled' })).toEqual([task.id]);
      });

      it('counts all matches whatever the limit and the cursor', async () => {
        const tasks = taskRecords(6, { status: 'error' });
        await insert(...tasks, taskRecord());
        const cursor = tasks[3]!.id;
        expect(await list({ status: 'error', limit: 2, cursor })).toMatchObject({ total: 6, tasks: { length: 2 } });
        expect(await list({ limit: 2, cursor })).toMatchObject({ total: 7, tasks: { length: 2 } });
      });

      it.each<[string, Partial<TaskQuery>]>([
        ['all tasks', {}],
        ['one status', { status: 'success' }],
        ['one droplet', { dropletName: 'echo' }],
        ['one meta pair', { meta: { team: 'red' } }],
      ])('pages through %s, each once, while new ones arrive', async (_title, query) => {
        const tasks = taskRecords(10, { meta: { team: 'red' } });
        await insert(...tasks);
        const seen: string[] = [];
        let cursor: string | undefined;
        for (let hasMore = true; hasMore;) {
          const page = await list({ ...query, limit: 3, ...(cursor === undefined ? {} : { cursor }) });
          seen.push(...ids(page.tasks));
          cursor = page.tasks.at(-1)?.id;
          hasMore = page.hasMore;
          await insert(taskRecord({ meta: { team: 'red' } }));
        }
        expect(seen).toEqual(ids(tasks).reverse());
      });

      it('goes on behind a cursor whose task was purged', async () => {
        const tasks = taskRecords(4);
        await insert(...tasks);
        const [cursor] = await listed({ limit: 1 });
        const gone = { ...KEEP_ALL, maxTasks: 3 };
        expect(await store.purge(gone)).toBe(1);
        expect(await listed({ cursor: tasks[0]!.id })).toEqual([]);
        expect(await listed({ cursor: cursor! })).toEqual([tasks[2]!.id, tasks[1]!.id]);
      });

      it('counts exactly without filters, and up to 10,000 with them', async () => {
        await insert(...taskRecords(10_000));
        expect(await list({ status: 'success', limit: 1 })).toMatchObject({ total: 10_000, isTotalExact: true, hasMore: true });
        await insert(taskRecord());
        expect(await list({ status: 'success', limit: 1 })).toMatchObject({ total: 10_000, isTotalExact: false });
        expect(await list({ dropletName: 'echo', limit: 1 })).toMatchObject({ total: 10_000, isTotalExact: false });
        expect(await list({ limit: 1 })).toMatchObject({ total: 10_001, isTotalExact: true });
      });
    });

    describe('totals', () => {
      const NONE = { success: 0, error: 0, timeout: 0, retries: 0, retriedToSuccess: 0, retriedToFailure: 0 };

      it('begin at zero', async () => {
        expect(await store.totals()).toEqual(NONE);
      });

      it.each<[string, Partial<TaskRecord>, object]>([
        ['a success', { status: 'success' }, { success: 1 }],
        ['an error', { status: 'error' }, { error: 1 }],
        ['a timeout', { status: 'timeout' }, { timeout: 1 }],
        ['a success after two failed attempts', { retryCount: 2 }, { success: 1, retries: 2, retriedToSuccess: 1 }],
        ['an error after three', { status: 'error', retryCount: 3 }, { error: 1, retries: 3, retriedToFailure: 1 }],
        ['a timeout after one', { status: 'timeout', retryCount: 1 }, { timeout: 1, retries: 1, retriedToFailure: 1 }],
      ])('count %s', async (_title, change, expected) => {
        await insert(taskRecord(change));
        expect(await store.totals()).toEqual({ ...NONE, ...expected });
      });

      it('add up', async () => {
        await insert(
          taskRecord({ retryCount: 2 }),
          taskRecord({ status: 'error', retryCount: 3 }),
          taskRecord({ retryCount: 1 }),
        );
        const expected = { ...NONE, success: 2, error: 1, retries: 6, retriedToSuccess: 2, retriedToFailure: 1 };
        expect(await store.totals()).toEqual(expected);
      });

      it('count each of several at once, and nothing of one among them that cannot be stored', async () => {
        const known = taskRecord({ status: 'error' });
        await store.insert(known);
        const written = [taskRecord({ retryCount: 1 }), known, taskRecord()].map((task) => store.insert(task));
        expect((await Promise.allSettled(written)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
        expect(await store.totals()).toEqual({ ...NONE, success: 2, error: 1, retries: 1, retriedToSuccess: 1 });
      });

      it('are not lowered by purging', async () => {
        await insert(...taskRecords(5, { retryCount: 1 }));
        const before = await store.totals();
        await purgeAll({ maxTasks: 0 });
        expect([(await list()).total, await store.totals()]).toEqual([0, before]);
      });
    });

    describe('purge', () => {
      it('removes nothing while everything may stay', async () => {
        await insert(...taskRecords(3));
        expect([await purgeAll({}), (await list()).total]).toEqual([[], 3]);
      });

      it('keeps the newest of too many', async () => {
        const tasks = taskRecords(10, { meta: { a: 'b' } });
        await insert(...tasks);
        await purgeAll({ maxTasks: 4 });
        expect(await listed()).toEqual(ids(tasks.slice(6)).reverse());
        expect(await listed({ meta: { a: 'b' } })).toEqual(ids(tasks.slice(6)).reverse());
        expect((await list()).total).toBe(4);
      });

      it.each([0, 0.5])('removes what is too old, to the millisecond (+%s)', async (fraction) => {
        const at = Date.UTC(2026, 6, 1);
        const tasks = [at - 1, at, at + 1].map((each) => taskRecord({ at: each, completedAt: each }));
        await insert(...tasks);
        expect(await purgeAll({ completedSince: at + fraction })).toEqual([fraction === 0 ? 1 : 2]);
        expect(await listed()).toEqual(ids(tasks.slice(fraction === 0 ? 1 : 2)).reverse());
      });

      it('removes the oldest until the store is small enough', async () => {
        const tasks = taskRecords(1500, { responseBody: JSON.stringify('x'.repeat(4000)) });
        await insert(...tasks);
        await purgeAll({ maxBytes: 3_000_000 });
        const { total } = await list({ limit: 1 });
        expect(total).toBeGreaterThan(100);
        expect(total).toBeLessThan(800);
        expect((await listed({ limit: 1 }))[0]).toBe(tasks.at(-1)!.id);
      });

      it('never removes what is not final, however old, many or large', async () => {
        const old = { at: 1000, responseBody: JSON.stringify('x'.repeat(4000)) };
        const open = [queuedTask(old), queuedTask({ ...old, status: 'running' })];
        await accept(...open.map((task) => acceptance(task)));
        await insert(taskRecord({ at: 2000 }));
        await purgeAll({ maxTasks: 0, completedSince: Date.UTC(2100, 0, 1), maxBytes: 1 });
        expect(await listed()).toEqual(ids(open).reverse());
        expect((await subject.jobs()).length).toBe(2);
      });

      it('keeps a task that ended lately, however long ago it was made', async () => {
        const task = taskRecord({ at: 1000, completedAt: clock.now() });
        await insert(task);
        expect([await purgeAll({ completedSince: clock.now() }), await listed()]).toEqual([[], [task.id]]);
      });

      it('keeps a task that is run again', async () => {
        const task = taskRecord({ status: 'error', request: taskRequest() });
        await insert(task);
        await store.settle(task.id, { change: { status: 'queued', completedAt: null }, next: jobOf(task) });
        expect([await purgeAll({ maxTasks: 0, completedSince: 1e15 }), await listed()]).toEqual([[], [task.id]]);
      });

      it('never takes a task that is being run again at that moment', async () => {
        const tasks = taskRecords(20, { status: 'error', request: taskRequest() });
        await insert(...tasks);
        const again = tasks.map((task) =>
          store.settle(task.id, { change: { status: 'queued', completedAt: null }, next: jobOf(task) }),
        );
        const [retried] = await Promise.all([Promise.all(again), store.purge({ ...KEEP_ALL, maxTasks: 0 })]);
        const accepted = retried.flatMap((task) => (task ? [task.id] : []));
        expect(await listed()).toEqual(accepted.toReversed());
        expect((await list()).total).toBe(accepted.length);
        expect((await subject.jobs()).map(({ id }) => id).sort()).toEqual(accepted);
      });

      it('goes in small steps, so that no write waits long', async () => {
        await insert(...taskRecords(1000));
        const steps = await purgeAll({ maxTasks: 1, completedSince: Date.UTC(2030, 0, 1) });
        expect(steps.reduce((sum, step) => sum + step, 0)).toBe(1000);
        expect(Math.max(...steps)).toBeLessThanOrEqual(400);
      });
    });

    const jobOf = (task: TaskRecord, change: Partial<Job> = {}): Job => ({
      ...{ id: task.id, kind: 'task', lane: 'droplet echo', priority: task.priority, dueAt: clock.now() },
      ...{ deadlineAt: clock.now() + 1000, attemptsBefore: 0, delayMs: 0, interruptions: 0, isCharged: true },
      ...change,
    });
    const keyOf = (change: Partial<IdempotencyKey> = {}): IdempotencyKey => ({
      ...{ caller: '', key: 'k', fingerprint: 'f', expiresAt: clock.now() + 1000 },
      ...change,
    });
    const acceptance = (task = queuedTask(), key: IdempotencyKey | null = null): Acceptance => ({ task, job: jobOf(task), key });
    const accept = async (...acceptances: readonly Acceptance[]): Promise<string[]> =>
      (await store.accept(acceptances)).map(({ kind }) => kind);
    const stored = async (): Promise<number> => (await list()).total;

    describe('accept', () => {
      it('makes tasks durable with their jobs', async () => {
        const tasks = [queuedTask({ runAt: clock.now() + 5, meta: { a: 'b' } }), queuedTask({ priority: 9 })];
        expect(await accept(...tasks.map((task) => acceptance(task)))).toEqual(['accepted', 'accepted']);
        expect([await store.get(tasks[0]!.id), await store.get(tasks[1]!.id)]).toEqual(tasks);
        expect(await subject.jobs()).toEqual(expect.arrayContaining(tasks.map((task) => jobOf(task))));
        expect([await stored(), await listed({ meta: { a: 'b' } })]).toEqual([2, [tasks[0]!.id]]);
      });

      it('takes none of them when one cannot be written', async () => {
        const there = acceptance();
        await accept(there);
        const others = [acceptance(), acceptance()] as const;
        await expect(store.accept([others[0], there, others[1]])).rejects.toThrow();
        expect([await listed(), await subject.jobs()]).toEqual([[there.task.id], [there.job]]);
        expect(await accept(...others)).toEqual(['accepted', 'accepted']);
      });

      it('takes a thousand at once, and none at all', async () => {
        const many = Array.from({ length: 1000 }, () => acceptance());
        expect(new Set(await accept(...many))).toEqual(new Set(['accepted']));
        expect([await accept(), await stored(), (await subject.jobs()).length]).toEqual([[], 1000, 1000]);
      });

      it('has no job for a task whose caller waits', async () => {
        const task = queuedTask({ status: 'running' });
        expect(await accept({ task, job: null, key: null })).toEqual(['accepted']);
        expect(await subject.jobs()).toEqual([]);
      });

      it('does not count a task that is not final', async () => {
        await accept(acceptance(), { ...acceptance(queuedTask({ status: 'running' })), job: null });
        expect(Object.values(await store.totals()).every((count) => count === 0)).toBe(true);
        expect(await store.lastDurations(10)).toEqual([]);
      });
    });

    describe('an idempotency key', () => {
      const EXPIRY = 1000;
      const first = async (key: Partial<IdempotencyKey> = {}): Promise<TaskRecord> => {
        const task = queuedTask();
        expect(await accept(acceptance(task, keyOf(key)))).toEqual(['accepted']);
        return task;
      };

      it('stands for its first task when the same request comes again', async () => {
        const task = await first();
        const repeat = acceptance(queuedTask(), keyOf());
        expect(await store.accept([repeat])).toEqual([{ kind: 'replayed', task }]);
        expect([await store.get(repeat.task.id), await stored(), (await subject.jobs()).length]).toEqual([null, 1, 1]);
      });

      it('gives the task as it is now, not as it was', async () => {
        const task = await first();
        await store.settle(task.id, { change: { status: 'cancelled', completedAt: 1 }, next: null });
        const [repeat] = await store.accept([acceptance(queuedTask(), keyOf())]);
        expect(repeat).toMatchObject({ kind: 'replayed', task: { id: task.id, status: 'cancelled' } });
      });

      it('refuses another request', async () => {
        const task = await first();
        expect(await accept(acceptance(queuedTask(), keyOf({ fingerprint: 'other' })))).toEqual(['mismatch']);
        expect([await stored(), await listed()]).toEqual([1, [task.id]]);
      });

      it.each<[string, Partial<IdempotencyKey>]>([
        ['another key', { key: 'k2' }],
        ['a key in another case', { key: 'K' }],
        ['the same key of another caller', { caller: 'b' }],
      ])('is not %s', async (_title, change) => {
        await first();
        expect(await accept(acceptance(queuedTask(), keyOf(change)))).toEqual(['accepted']);
      });

      it('is free again when its time is over, to the millisecond', async () => {
        await first();
        clock.advance(EXPIRY - 1);
        expect(await accept(acceptance(queuedTask(), keyOf()))).toEqual(['replayed']);
        clock.advance(1);
        const task = await first({ expiresAt: clock.now() + EXPIRY, fingerprint: 'other' });
        const [repeat] = await store.accept([acceptance(queuedTask(), keyOf({ fingerprint: 'other' }))]);
        expect(repeat).toEqual({ kind: 'replayed', task });
      });

      it('is free again when its task was purged', async () => {
        const task = await first();
        await store.settle(task.id, { change: { status: 'cancelled', completedAt: clock.now() }, next: null });
        await purgeAll({ maxTasks: 0 });
        await first({ fingerprint: 'other' });
      });

      it('is free when its first request could not be written', async () => {
        const there = acceptance();
        await accept(there);
        await expect(store.accept([acceptance(queuedTask(), keyOf()), there])).rejects.toThrow();
        await first({ fingerprint: 'other' });
      });

      it('lets one of many in that come at once', async () => {
        const kinds = await Promise.all(Array.from({ length: 50 }, () => accept(acceptance(queuedTask(), keyOf()))));
        expect(kinds.flat().sort()).toEqual(['accepted', ...Array.from({ length: 49 }, () => 'replayed')]);
        expect(await stored()).toBe(1);
      });

      it('tells what it stands for without a request, and takes nothing', async () => {
        expect(await store.heldBy(keyOf())).toBeNull();
        const task = await first();
        expect(await store.heldBy(keyOf())).toEqual({ kind: 'replayed', task });
        expect(await store.heldBy(keyOf({ fingerprint: 'other' }))).toEqual({ kind: 'mismatch' });
        for (const other of [{ key: 'k2' }, { caller: 'b' }]) expect(await store.heldBy(keyOf(other))).toBeNull();
        clock.advance(EXPIRY);
        expect([await store.heldBy(keyOf()), await stored()]).toEqual([null, 1]);
        await first();
      });

      it('stands for nothing once its task was purged', async () => {
        const task = await first();
        await store.settle(task.id, { change: { status: 'cancelled', completedAt: clock.now() }, next: null });
        await purgeAll({ maxTasks: 0 });
        expect(await store.heldBy(keyOf())).toBeNull();
      });

      it('stands for the first of two in one batch', async () => {
        expect(await accept(acceptance(queuedTask(), keyOf()), acceptance(queuedTask(), keyOf()))).toEqual([
          'accepted',
          'replayed',
        ]);
      });
    });

    describe('withdraw', () => {
      const reserve = async (change: Partial<TaskRecord> = {}): Promise<TaskRecord> => {
        const task = queuedTask({ status: 'running', meta: { by: 'me' }, ...change });
        expect(await accept({ task, job: null, key: keyOf() })).toEqual(['accepted']);
        return task;
      };

      it('leaves no trace of a task that was reserved and never begun', async () => {
        const kept = taskRecord();
        await insert(kept);
        const totals = await store.totals();
        const task = await reserve();
        await store.withdraw(task.id, keyOf());
        expect(await store.get(task.id)).toBeNull();
        expect(await listed()).toEqual([kept.id]);
        expect(await listed({ meta: { by: 'me' } })).toEqual([]);
        expect([(await list()).total, await store.totals()]).toEqual([1, totals]);
      });

      it('frees its key, also for another request', async () => {
        await store.withdraw((await reserve()).id, keyOf());
        const [next, repeat] = [queuedTask(), queuedTask()];
        expect(await accept(acceptance(next, keyOf({ fingerprint: 'other' })))).toEqual(['accepted']);
        expect(await accept(acceptance(repeat, keyOf({ fingerprint: 'other' })))).toEqual(['replayed']);
      });

      it('never lets a key stand for two that ask for it while it goes', async () => {
        for (let round = 0; round < 10; round++) {
          const { id } = await reserve();
          const asked = Array.from({ length: 5 }, () => queuedTask({ status: 'running' }));
          const kinds = asked.map((task) => accept({ task, job: null, key: keyOf() }));
          const [, ...told] = await Promise.all([store.withdraw(id, keyOf()), ...kinds]);
          const taken = asked.filter((_task, index) => told[index]?.[0] === 'accepted');
          expect(taken.length).toBeLessThanOrEqual(1);
          for (const task of taken) await store.withdraw(task.id, keyOf());
        }
      });

      it('changes nothing of a task that has ended, nor of one that was never there', async () => {
        const task = await reserve();
        await store.settle(task.id, { change: { status: 'success', completedAt: clock.now(), durationMs: 1 }, next: null });
        await store.withdraw(task.id, keyOf());
        await store.withdraw(queuedTask().id, keyOf());
        expect(await store.get(task.id)).toMatchObject({ status: 'success' });
        expect((await list()).total).toBe(1);
        expect(await listed({ meta: { by: 'me' } })).toEqual([task.id]);
        expect(await accept(acceptance(queuedTask(), keyOf()))).toEqual(['replayed']);
      });
    });

    describe('settle', () => {
      const put = async (change: Partial<TaskRecord> = {}): Promise<TaskRecord> => {
        const task = queuedTask(change);
        await accept(acceptance(task));
        return task;
      };
      const moves = TASK_STATUSES.flatMap((from) => TASK_STATUSES.map((to) => [from, to, MOVES[from].includes(to)] as const));

      it.each(moves)('from %s to %s: %s', async (from, to, isLegal) => {
        const task = await put({ status: from });
        const settled = await store.settle(task.id, { change: { status: to, retryCount: 7 }, next: null });
        const expected = isLegal ? { ...task, status: to, retryCount: 7 } : task;
        expect([settled, await store.get(task.id)]).toEqual([isLegal ? expected : null, expected]);
        expect((await subject.jobs()).length).toBe(isLegal ? 0 : 1);
      });

      it('does nothing for a task that is not there', async () => {
        const next = jobOf(queuedTask());
        expect(await store.settle(next.id, { change: { status: 'success' }, next })).toBeNull();
        expect(await subject.jobs()).toEqual([]);
      });

      it('writes every field that may change, and leaves the others', async () => {
        const task = await put({ status: 'running', meta: { a: 'b' } });
        const change = {
          ...{ status: 'error' as const, targetUrl: 'http://new.test/', responseStatus: 500, responseBody: '[1.0]' },
          ...{ retryCount: 2, attempts: 3, completedAt: clock.now(), durationMs: 77, runAt: 5 },
          error: { code: 'DROPLET_ERROR' as const, message: 'm', details: { effect: 'unknown' as const, stopped_by: null } },
          callback: { status: 'pending' as const, attempts: 0, last_error: null },
          request: null,
        };
        expect(await store.settle(task.id, { change, next: null })).toEqual({ ...task, ...change });
        expect(await store.get(task.id)).toEqual({ ...task, ...change });
        expect(await listed({ status: 'error', meta: { a: 'b' } })).toEqual([task.id]);
      });

      it('puts the next job in the place of the one that ran', async () => {
        const task = await put({ status: 'running' });
        const next = jobOf(task, { dueAt: 12_345, delayMs: 5, interruptions: 1, attemptsBefore: 2 });
        await store.settle(task.id, { change: { status: 'queued' }, next });
        expect(await subject.jobs()).toEqual([next]);
        const callback = jobOf(task, { kind: 'callback', lane: 'callback http://hook.test' });
        await store.settle(task.id, { change: { status: 'error' }, next: callback });
        expect(await subject.jobs()).toEqual([callback]);
      });

      it('leaves the job of an illegal move alone', async () => {
        const task = await put({ status: 'success' });
        await store.settle(task.id, { change: { status: 'queued' }, next: jobOf(task, { dueAt: 1 }) });
        expect(await subject.jobs()).toEqual([jobOf(task)]);
      });

      it.each(FINAL_STATUSES)('one of many that end a task at once wins, and counts: %s', async (status) => {
        const task = await put({ status: 'running' });
        const changes = [status, ...FINAL_STATUSES].map((each) => ({ status: each, retryCount: 1 }));
        const settled = await Promise.all(changes.map((change) => store.settle(task.id, { change, next: null })));
        expect(settled.map((each) => each?.status ?? null)).toEqual([status, null, null, null, null]);
        const { success, error, timeout, retries } = await store.totals();
        expect([success + error + timeout, retries]).toEqual(status === 'cancelled' ? [0, 0] : [1, 1]);
      });

      it('counts a task that is run again under its latest outcome only', async () => {
        const task = await put({ status: 'running' });
        const end = async (status: 'success' | 'error' | 'timeout' | 'cancelled', retryCount: number) => {
          await store.settle(task.id, { change: { status, retryCount }, next: null });
          return store.totals();
        };
        const again = async () => {
          await store.settle(task.id, { change: { status: 'queued' }, next: null });
          const totals = await store.totals();
          await store.settle(task.id, { change: { status: 'running' }, next: null });
          return totals;
        };
        const none = { success: 0, error: 0, timeout: 0, retries: 0, retriedToSuccess: 0, retriedToFailure: 0 };
        expect(await end('error', 3)).toEqual({ ...none, error: 1, retries: 3, retriedToFailure: 1 });
        expect(await again()).toEqual(none);
        expect(await end('timeout', 4)).toEqual({ ...none, timeout: 1, retries: 4, retriedToFailure: 1 });
        expect(await again()).toEqual(none);
        expect(await end('cancelled', 4)).toEqual(none);
        expect(await again()).toEqual(none);
        expect(await end('success', 4)).toEqual({ ...none, success: 1, retries: 4, retriedToSuccess: 1 });
      });
    });

    describe('settleCallback', () => {
      it('writes how the delivery goes, and nothing else', async () => {
        const task = taskRecord({ callback: { status: 'pending', attempts: 0, last_error: null }, retryCount: 2 });
        const job = jobOf(task, { kind: 'callback' });
        await store.insert(task, job);
        const before = await store.totals();
        const pending = { status: 'pending', attempts: 1, last_error: 'no' } as const;
        const next = { ...job, dueAt: 5, delayMs: 5 };
        await store.settleCallback(task.id, { callback: pending, next, lease: null });
        expect([await store.get(task.id), await subject.jobs()]).toEqual([{ ...task, callback: pending }, [next]]);
        const delivered = { status: 'delivered', attempts: 2, last_error: null } as const;
        await store.settleCallback(task.id, { callback: delivered, next: null, lease: null });
        expect([await store.get(task.id), await subject.jobs()]).toEqual([{ ...task, callback: delivered }, []]);
        expect(await store.totals()).toEqual(before);
      });

      it.each(['queued', 'running'] as const)('writes nothing over a task that is %s again', async (status) => {
        const task = queuedTask({ status, callback: null });
        await accept(acceptance(task));
        const callback = { status: 'delivered', attempts: 1, last_error: null } as const;
        await store.settleCallback(task.id, { callback, next: null, lease: null });
        expect([await store.get(task.id), await subject.jobs()]).toEqual([task, [jobOf(task)]]);
      });

      it('does nothing for a task that is not there', async () => {
        const { id } = taskRecord();
        const next = jobOf(queuedTask(), { kind: 'callback' });
        await store.settleCallback(id, { callback: { status: 'pending', attempts: 1, last_error: null }, next, lease: null });
        expect([await store.get(id), await subject.jobs()]).toEqual([null, []]);
      });
    });

    describe('abandoned', () => {
      it('is nothing when all wait or are over', async () => {
        await accept(acceptance());
        await insert(taskRecord());
        expect(await (await subject.successor()).abandoned()).toEqual([]);
      });

      it('is nothing of this process while it lives', async () => {
        await (await subject.successor()).abandoned();
        await accept({ task: queuedTask({ status: 'queued' }), job: null, key: null });
        expect(await store.abandoned()).toEqual([]);
      });

      it('is the task whose caller waited: it has no job', async () => {
        const task = queuedTask({ status: 'running' });
        await accept({ task, job: null, key: null });
        expect(await (await subject.successor()).abandoned()).toEqual([{ task, job: null }]);
      });
    });

    describe('durations', () => {
      it('are those of the last tasks, oldest first', async () => {
        for (const durationMs of [5, 1, 9, 3]) await insert(taskRecord({ durationMs }));
        expect([await store.lastDurations(3), await store.lastDurations(100)]).toEqual([
          [1, 9, 3],
          [5, 1, 9, 3],
        ]);
      });

      it('are none of none', async () => {
        expect(await store.lastDurations(10)).toEqual([]);
      });
    });
  });
}
