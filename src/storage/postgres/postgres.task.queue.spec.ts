import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { taskQueueContract } from '../../../test/contracts/task.queue.contract.js';
import { until } from '../../../test/support/http.client.js';
import { ManualClock } from '../../../test/support/manual.clock.js';
import { emptyDatabase, openPostgres } from '../../../test/support/postgres.stores.js';
import { sharedPostgres } from '../../../test/support/shared.postgres.js';
import { jobOf, queuedTask } from '../../../test/support/task.factory.js';
import type { Job } from '../../tasks/task.queue.js';
import { queueOf } from './postgres.jobs.js';

type Opened = Awaited<ReturnType<typeof openPostgres>>;

afterAll(async () => (await sharedPostgres()).stop());

taskQueueContract('PostgreSQL', async (clock, limits) => {
  const { queue, tasks: store, close } = await openPostgres(await emptyDatabase(), clock, limits);
  return { queue, store, close };
});

describe('PostgresTaskQueue of several replicas', () => {
  /** Every queue looks by itself this often. */
  const LOOK_EVERY_MS = 2000;
  let clock: ManualClock;
  let replicas: Opened[];

  beforeEach(() => {
    clock = new ManualClock();
    replicas = [];
  });
  afterEach(async () => {
    await Promise.all(replicas.map(({ close }) => close()));
  });

  let most = 64;
  const room = () => ({ most, now: most, askAgainMs: 1000 });
  const start = async (perLane = 64): Promise<[Opened, Opened]> => {
    most = perLane;
    const url = await emptyDatabase();
    const opened: [Opened, Opened] = [
      await openPostgres(url, clock, { perLane, inAll: 1024 }),
      await openPostgres(url, clock, { perLane, inAll: 1024 }),
    ];
    replicas.push(...opened);
    return opened;
  };
  const add = async ({ tasks }: Opened, count: number, change: Partial<Job> = {}): Promise<string[]> => {
    const queued = Array.from({ length: count }, () => queuedTask());
    await tasks.accept(queued.map((task) => ({ task, job: jobOf(task, clock.now(), { lane: 'a', ...change }), key: null })));
    return queued.map(({ id }) => id);
  };
  /** Works, and keeps what it was handed until the test ends it. */
  const work = ({ queue, tasks }: Opened): { readonly ids: string[]; readonly end: () => Promise<unknown> } => {
    const ids: string[] = [];
    const ends: (() => Promise<void>)[] = [];
    queue.work(
      ({ id }, { lease }) =>
        new Promise((resolve) => {
          ids.push(id);
          ends.push(async () => {
            await tasks.settle(id, { change: { status: 'success' }, next: null, lease });
            resolve();
          });
        }),
      room,
    );
    return { ids, end: () => Promise.all(ends.splice(0).map((end) => end())) };
  };

  it('hands each job to one of them', async () => {
    const [one, other] = await start();
    const ids = [...(await add(one, 40)), ...(await add(other, 40, { lane: 'b' }))];
    const works = [work(one), work(other)];
    const handed = (): string[] => works.flatMap((each) => each.ids);
    await until(() => handed().length >= 80);
    clock.advance(LOOK_EVERY_MS);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(handed().sort()).toEqual(ids.sort());
  });

  it('runs no more of a lane than its limit over all of them', async () => {
    const [one, other] = await start(3);
    const ids = await add(one, 10);
    const works = [work(one), work(other)];
    const handed = (): string[] => works.flatMap((each) => each.ids);
    for (const running of [3, 6, 9, 10]) {
      await until(() => {
        if (handed().length < running) clock.advance(250);
        return handed().length >= running;
      });
      clock.advance(LOOK_EVERY_MS);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(handed()).toHaveLength(running);
      await Promise.all(works.map(({ end }) => end()));
    }
    expect(handed().sort()).toEqual(ids.sort());
  });

  it('lets two that claim at the same moment not both take what room there is', async () => {
    const [one, other] = await start(3);
    await add(one, 10);
    const claim = ({ connection, jobs }: Opened, work: () => Promise<void>) =>
      connection.transaction(async (session) => {
        const claimed = await jobs.claim(
          queueOf(jobOf(queuedTask(), 0, { lane: 'a' })),
          { limit: 3, perLane: 3, now: Date.now() },
          session,
        );
        await work();
        return claimed.length;
      });
    let hasClaimed = false;
    let isOver = false;
    const goOn = async (): Promise<void> => {
      hasClaimed = true;
      await until(() => isOver, 2000).catch(() => undefined);
    };
    const first = claim(one, goOn);
    await until(() => hasClaimed);
    const second = claim(other, () => Promise.resolve());
    await Promise.race([second, new Promise((resolve) => setTimeout(resolve, 50))]);
    isOver = true;
    expect([await first, await second]).toEqual([3, 0]);
  });

  it('counts a deadline from when the job was put, whatever the clocks of the replicas show', async () => {
    const ahead = new (class extends ManualClock {
      override steady(): number {
        return super.steady() + 3_600_000;
      }
    })();
    const [one] = await start();
    const other = await openPostgres(one.url, ahead);
    replicas.push(other);
    await add(one, 1, { dueAt: clock.steady(), deadlineAt: clock.steady() + 60_000 });
    for (const each of [clock, ahead]) each.advance(5000);
    const deadlines: number[] = [];
    other.queue.work(({ deadlineAt }) => Promise.resolve(void deadlines.push(deadlineAt)), room);
    await until(() => deadlines.length > 0);
    expect(deadlines[0]).toBe(ahead.steady() + 55_000);
  });

  it('wakes those that have nothing to do before they would look by themselves', async () => {
    const [busy, idle] = await start();
    const first = await add(busy, 1);
    const { ids } = work(idle);
    // Its first look is over.
    await until(() => ids.length === 1);
    const since = clock.now();
    const added = await add(busy, 1, { lane: 'b' });
    await until(() => {
      clock.advance(1);
      return ids.length === 2;
    });
    expect(ids).toEqual([...first, ...added]);
    expect(clock.now() - since).toBeLessThan(LOOK_EVERY_MS);
  });

  it('finds what no message told of by a look at all lanes', async () => {
    const [busy, idle] = await start();
    busy.bus.send = () => undefined;
    const { ids } = work(idle);
    const added = await add(busy, 1);
    await until(() => {
      clock.advance(LOOK_EVERY_MS);
      return ids.length > 0;
    });
    expect(ids).toEqual(added);
  });

  it('hands out what is due later even if the replica that took it is gone by then', async () => {
    const [gone, other] = await start();
    const added = await add(gone, 1, { dueAt: clock.now() + 60_000 });
    const { ids } = work(other);
    await gone.close();
    clock.advance(59_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(ids).toEqual([]);
    await until(() => {
      clock.advance(100);
      return ids.length > 0;
    });
    expect(ids).toEqual(added);
    replicas.shift();
  });

  it('tells each of them how many jobs wait or run in all', async () => {
    const [one, other] = await start();
    work(one);
    work(other);
    await add(one, 3, { dueAt: clock.now() + 86_400_000 });
    await until(() => {
      clock.advance(100);
      return one.queue.size === 3 && other.queue.size === 3;
    });
  });
});
