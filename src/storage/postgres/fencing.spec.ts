import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../../../test/support/http.client.js';
import { ManualClock } from '../../../test/support/manual.clock.js';
import { queryOnce } from '../../../test/support/postgres.js';
import { emptyDatabase, jobsIn, openPostgres } from '../../../test/support/postgres.stores.js';
import { sharedPostgres } from '../../../test/support/shared.postgres.js';
import { anyRoom, jobOf, queuedTask } from '../../../test/support/task.factory.js';
import type { Job } from '../../tasks/task.queue.js';
import type { TaskRecord } from '../../tasks/task.js';
import { markClaimed } from './job.claims.js';
import { JOBS_SCHEMA, queueOf } from './postgres.jobs.js';

type Opened = Awaited<ReturnType<typeof openPostgres>>;

interface Held {
  readonly job: Job;
  readonly lease: string;
}

const PENDING = { status: 'pending', attempts: 0, last_error: null } as const;

/** What one replica may still do to a job that another has taken over, because it was silent for too long. */
describe('A replica that was stopped while it held a job', () => {
  let url: string;
  let clock: ManualClock;
  let stopped: Opened;
  let other: Opened;
  let third: Opened | null;

  beforeEach(async () => {
    url = await emptyDatabase();
    clock = new ManualClock();
    third = null;
    [stopped, other] = [await openPostgres(url, clock), await openPostgres(url, clock)];
  });
  afterEach(async () => {
    await Promise.all([stopped.close(), other.close(), third?.close()]);
  });
  afterAll(async () => (await sharedPostgres()).stop());

  /** Works until a job is held. */
  const claim = async ({ queue }: Opened): Promise<Held> => {
    const held: Held[] = [];
    queue.work((job, { lease }) => new Promise(() => held.push({ job, lease: lease! })), anyRoom);
    await until(() => {
      if (held.length === 0) clock.advance(500);
      return held.length > 0;
    });
    queue.stop();
    return held[0]!;
  };
  /** The job's holder has said nothing for too long, and pg-boss looks after that. */
  const loseHeartbeat = async (): Promise<void> => {
    await queryOnce(url, `UPDATE ${JOBS_SCHEMA}.job SET heartbeat_on = ${JOBS_SCHEMA}.job_now() - interval '11 s'`);
    await queryOnce(url, `UPDATE ${JOBS_SCHEMA}.queue SET monitor_on = NULL, monitor_claim_on = NULL`);
    await other.boss.supervise();
  };
  const accept = async (): Promise<TaskRecord> => {
    const task = queuedTask();
    await stopped.tasks.accept([{ task, job: jobOf(task, clock.now()), key: null }]);
    return task;
  };
  const insertWithCallback = async (): Promise<TaskRecord> => {
    const task = queuedTask({ status: 'success', completedAt: clock.now(), callback: PENDING });
    await stopped.tasks.insert(task, jobOf(task, clock.now(), { kind: 'callback', lane: 'callback http://hook.test' }));
    return task;
  };
  /** Both have held it, the second one still does. */
  const takenOver = async (): Promise<{ first: Held; second: Held }> => {
    const first = await claim(stopped);
    await loseHeartbeat();
    return { first, second: await claim(other) };
  };

  it('has its job run elsewhere, which counts as an interruption', async () => {
    const { id } = await accept();
    const { first, second } = await takenOver();
    expect([first.job.id, second.job.id]).toEqual([id, id]);
    expect([first.job.interruptions, second.job.interruptions]).toEqual([0, 1]);
    expect(second.lease).not.toBe(first.lease);
  });

  it('keeps its job for as long as it says that it lives', async () => {
    await accept();
    stopped.queue.work(() => new Promise(() => undefined), anyRoom);
    const state = async (): Promise<{ state: string; silent: number }> => {
      const silent = `extract(epoch FROM ${JOBS_SCHEMA}.job_now() - heartbeat_on)::int AS silent`;
      return (await queryOnce(url, `SELECT state, ${silent} FROM ${JOBS_SCHEMA}.job`)).rows[0] as never;
    };
    await until(async () => (await state()).state === 'active');
    let longest = 0;
    // In small steps, each as long as a look at the database: what it says of itself comes between them.
    for (let passed = 0; passed < 30_000; passed += 250) {
      clock.advance(250);
      longest = Math.max(longest, (await state()).silent);
    }
    expect(longest).toBeLessThan(10);
    await queryOnce(url, `UPDATE ${JOBS_SCHEMA}.queue SET monitor_on = NULL, monitor_claim_on = NULL`);
    await other.boss.supervise();
    expect((await state()).state).toBe('active');
  });

  it('cannot end the task any more, with or without a next job; the one that holds it now can', async () => {
    const task = await accept();
    const { first, second } = await takenOver();
    const before = await stopped.tasks.get(task.id);
    const settle = ({ tasks }: Opened, { lease }: Held, next: Job | null) =>
      tasks.settle(task.id, { change: { status: 'error', retryCount: 3 }, next, from: ['running'], lease });
    expect(await settle(stopped, first, null)).toBeNull();
    expect(await settle(stopped, first, jobOf(task, clock.now(), { dueAt: 1 }))).toBeNull();
    expect([await stopped.tasks.get(task.id), (await jobsIn(url)).length]).toEqual([before, 1]);
    expect((await stopped.tasks.totals()).error).toBe(0);
    expect(await settle(other, second, null)).toMatchObject({ status: 'error' });
    expect([(await stopped.tasks.totals()).error, await jobsIn(url)]).toEqual([1, []]);
  });

  it('cannot put the task back any more', async () => {
    const task = await accept();
    const { first } = await takenOver();
    const before = await jobsIn(url);
    const next = jobOf(task, clock.now(), { dueAt: 1 });
    expect(await stopped.tasks.settle(task.id, { change: { status: 'queued' }, next, lease: first.lease })).toBeNull();
    expect((await stopped.tasks.get(task.id))?.status).toBe('running');
    expect(await jobsIn(url)).toEqual(before);
  });

  it('cannot write how the delivery of a callback went; the one that makes it now can', async () => {
    const task = await insertWithCallback();
    const { first, second } = await takenOver();
    const failed = { status: 'failed', attempts: 9, last_error: 'late' } as const;
    await stopped.tasks.settleCallback(task.id, { callback: failed, next: null, lease: first.lease });
    expect([(await other.tasks.get(task.id))?.callback, (await jobsIn(url)).length]).toEqual([PENDING, 1]);
    const delivered = { status: 'delivered', attempts: 1, last_error: null } as const;
    await other.tasks.settleCallback(task.id, { callback: delivered, next: null, lease: second.lease });
    expect([(await other.tasks.get(task.id))?.callback, await jobsIn(url)]).toEqual([delivered, []]);
  });

  it('cannot end a task that waits for its next run, nor one that was run again since', async () => {
    const task = await accept();
    const { first, second } = await takenOver();
    const end = () => stopped.tasks.settle(task.id, { change: { status: 'success' }, next: null, lease: first.lease });
    await other.tasks.settle(task.id, { change: { status: 'queued' }, next: jobOf(task, clock.now()), lease: second.lease });
    expect(await end()).toBeNull();
    third = await openPostgres(url, clock);
    await claim(third);
    expect(await end()).toBeNull();
    expect(await third.tasks.get(task.id)).toMatchObject({ status: 'running' });
  });

  it.each(['task', 'callback'] as const)('changes nothing by a mark that comes late: %s', async (kind) => {
    const task = await (kind === 'task' ? accept() : insertWithCallback());
    const { first, second } = await takenOver();
    const before = await queryOnce(url, 'SELECT status, job, claim FROM orchestrator.tasks');
    const place = { queue: queueOf(first.job), id: first.lease.split(':')[0]!, count: 0, job: first.job };
    expect(await markClaimed([place], stopped.connection, stopped.jobs)).toEqual([]);
    expect((await queryOnce(url, 'SELECT status, job, claim FROM orchestrator.tasks')).rows).toEqual(before.rows);
    expect((await jobsIn(url)).length).toBe(1);
    const { lease } = second;
    if (kind === 'task') await other.tasks.settle(task.id, { change: { status: 'success' }, next: null, lease });
    else await other.tasks.settleCallback(task.id, { callback: PENDING, next: null, lease });
    expect([(await other.tasks.get(task.id))?.status, await jobsIn(url)]).toEqual(['success', []]);
  });

  it('does not run a job that it had fetched when the task was cancelled', async () => {
    const task = await accept();
    const fetched = await stopped.connection.transaction((session) =>
      stopped.jobs.claim(queueOf(jobOf(task, clock.now())), { limit: 1, perLane: 1, now: Date.now() }, session),
    );
    expect(fetched).toHaveLength(1);
    await other.tasks.settle(task.id, { change: { status: 'cancelled' }, next: null });
    expect(await markClaimed(fetched, stopped.connection, stopped.jobs)).toEqual([]);
    expect([(await other.tasks.get(task.id))?.status, await jobsIn(url)]).toEqual(['cancelled', []]);
  });

  it('can end its job when nobody has taken it over yet, although it was silent', async () => {
    const task = await accept();
    const first = await claim(stopped);
    await loseHeartbeat();
    const settled = await stopped.tasks.settle(task.id, { change: { status: 'success' }, next: null, lease: first.lease });
    expect([settled?.status, await jobsIn(url)]).toEqual(['success', []]);
  });
});
