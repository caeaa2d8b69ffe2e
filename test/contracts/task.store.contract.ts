import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { TaskRecord } from '../../src/tasks/task.js';
import { firstIdOf } from '../../src/tasks/task.id.js';
import type { TaskQuery, TaskStore } from '../../src/tasks/task.store.js';
import { taskRecord, taskRecords } from '../support/task.factory.js';

/** An empty store, and how to leave it. */
export interface TaskStoreUnderTest {
  readonly store: TaskStore;
  readonly close: () => void | Promise<void>;
}

const KEEP_ALL = { maxTasks: 1e9, createdSince: 0, maxBytes: 1e15 };

/** What every TaskStore must do. */
export function taskStoreContract(name: string, open: () => TaskStoreUnderTest | Promise<TaskStoreUnderTest>): void {
  describe(`TaskStore: ${name}`, () => {
    let subject: TaskStoreUnderTest;
    let store: TaskStore;

    beforeEach(async () => {
      subject = await open();
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
          history: [
            {
              ...{ attempt: 1, started_at: 1_767_225_600.25, duration_ms: 7, response_status: null },
              ...{ error_code: 'DROPLET_UNREACHABLE', delay_ms: 0, endpoint: 'http://e.test' },
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

      it.each(['', 'no-such-id', firstIdOf(0), '%', "' OR 1=1 --"])('finds nothing for the id "%s"', async (id) => {
        await insert(taskRecord());
        expect(await store.get(id)).toBeNull();
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
            ...{ error_code: null, delay_ms: 0, endpoint: 'http://e.test' },
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
        const tasks = [at - 1, at, at + 1].map((each) => taskRecord({ at: each }));
        await insert(...tasks);
        expect(await purgeAll({ createdSince: at + fraction })).toEqual([fraction === 0 ? 1 : 2]);
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

      it('goes in small steps, so that no write waits long', async () => {
        await insert(...taskRecords(1000));
        const steps = await purgeAll({ maxTasks: 1, createdSince: Date.UTC(2030, 0, 1) });
        expect(steps.reduce((sum, step) => sum + step, 0)).toBe(1000);
        expect(Math.max(...steps)).toBeLessThanOrEqual(400);
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
