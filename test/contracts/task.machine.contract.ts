import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ManualClock } from '../support/manual.clock.js';
import { openSqlite, storesOf } from '../support/sqlite.js';
import { queuedTask, taskRequest } from '../support/task.factory.js';
import { ANYBODY } from '../../src/common/access.js';
import { ConflictError } from '../../src/common/errors.js';
import { Lifecycle } from '../../src/common/lifecycle.js';
import { createLog } from '../../src/common/log.js';
import { parseSettings } from '../../src/config/settings.js';
import { Metrics } from '../../src/metrics/metrics.js';
import { isFailedAttempt } from '../../src/outbound/failure-class.js';
import type { Outcome } from '../../src/outbound/outcome.js';
import type { Step, Verdict } from '../../src/outbound/execution.js';
import type { Progress } from '../../src/outbound/outbound.call.js';
import { CallbackDelivery } from '../../src/tasks/callback.delivery.js';
import { ResultKeeper } from '../../src/tasks/result.keeper.js';
import { NoReplicas } from '../../src/tasks/replicas.js';
import { QueueRoom } from '../../src/tasks/queue.room.js';
import { RunningTasks } from '../../src/tasks/running.tasks.js';
import { TaskCaller, type CallableTask } from '../../src/tasks/task.caller.js';
import { TaskControl } from '../../src/tasks/task.control.js';
import { TaskEvents } from '../../src/tasks/task.events.js';
import { firstJob } from '../../src/tasks/task.jobs.js';
import { TaskJournal } from '../../src/tasks/task.journal.js';
import { isFinal, type TaskRecord } from '../../src/tasks/task.js';
import { TaskRecovery } from '../../src/tasks/task.recovery.js';
import { NO_TRACING } from '../../src/tracing/tracing.js';
import { TaskWorker } from '../../src/tasks/task.worker.js';

const MAX_ATTEMPTS = 3;
const TIMEOUT_MS = 5000;
const RETRY_MS = 700;

/** One for all: each has a timer of its own that ticks for ever. */
const metrics = new Metrics();

/** What may happen, one after the other; `task` and `call` choose among those that there are. */
type Event =
  | { readonly kind: 'create'; readonly droplet: string; readonly delayMs: number; readonly priority: number }
  | { readonly kind: 'answer'; readonly call: number; readonly status: 200 | 404 | 503 | null }
  | { readonly kind: 'cancel' | 'retry'; readonly task: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'crash' };

const index = fc.nat({ max: 9 });
const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('create' as const),
      droplet: fc.constantFrom('a', 'A', 'b'),
      delayMs: fc.constantFrom(0, 0, 300, 6000),
      priority: fc.nat({ max: 9 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      call: index,
      status: fc.constantFrom(200 as const, 404 as const, 503 as const, 503 as const, null),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const), task: index }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('retry' as const), task: index }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(100, 300, RETRY_MS, TIMEOUT_MS) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'crash' as const }) },
);

/** A call to a droplet that waits for its answer. */
interface OpenCall {
  readonly id: string;
  readonly end: (outcome: Outcome) => void;
}

const outcomeOf = (status: number | null): Outcome =>
  status === null ? { kind: 'not-sent', message: 'refused' } : { kind: 'answered', status, headers: {}, body: Buffer.from('{}') };

/** Lets every write be committed and every promise go on. */
const quiet = async (): Promise<void> => {
  for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** One orchestrator's worth of asynchronous tasks over one database, which outlives its crashes. */
class World {
  private readonly clock = new ManualClock();
  private readonly open = openSqlite(':memory:', this.clock, 100);
  private readonly settings = parseSettings({});
  private readonly log = createLog('silent');
  private readonly created: string[] = [];
  private readonly before = new Map<string, TaskRecord>();
  private calls: OpenCall[] = [];
  private store = this.open.tasks;
  private queue = this.open.queue;
  private control: TaskControl | undefined;

  /** A process begins: it recovers what the one before left, and works. */
  async boot(): Promise<void> {
    const replicas = new NoReplicas();
    const [{ store, queue, settings, clock, log }, lifecycle, events] = [this, new Lifecycle(), new TaskEvents(replicas)];
    const caller = this.caller();
    const journal = new TaskJournal(events, metrics, caller, settings, clock, log);
    const running = new RunningTasks(lifecycle);
    const recovery = new TaskRecovery(store, journal, settings, clock, log);
    const keeper = new ResultKeeper(lifecycle, clock, log);
    const noCallbacks = Object.create(CallbackDelivery.prototype) as CallbackDelivery;
    this.control = new TaskControl(
      store,
      queue,
      new QueueRoom(queue, settings),
      running,
      replicas,
      events,
      journal,
      caller,
      settings,
      clock,
    );
    const parts = [noCallbacks, recovery, running, keeper, journal, lifecycle, settings, clock, NO_TRACING] as const;
    await new TaskWorker(queue, store, caller, ...parts).onApplicationBootstrap();
    await quiet();
  }

  async happens(event: Event): Promise<void> {
    const retried = event.kind === 'retry' ? await this.retry(this.created[event.task]) : null;
    if (event.kind === 'create') await this.create(event);
    if (event.kind === 'answer') this.answer(event.call, event.status);
    if (event.kind === 'cancel') await this.cancel(this.created[event.task]);
    if (event.kind === 'wait') this.clock.advance(event.ms);
    if (event.kind === 'crash') await this.crash();
    await quiet();
    await this.check(retried);
  }

  /** From now on everything succeeds: then every task must come to its end. */
  async comesToItsEnd(): Promise<void> {
    for (let round = 0; round < 100 && this.jobCount() > 0; round++) {
      for (const { end } of this.calls.splice(0)) end(outcomeOf(200));
      await quiet();
      this.clock.advance(TIMEOUT_MS);
      await quiet();
      await this.check(null);
    }
    const unfinished = (await this.records()).filter(({ status }) => !isFinal(status));
    expect(unfinished).toEqual([]);
  }

  close(): void {
    this.open.close();
  }

  private async create({ droplet, delayMs, priority }: Event & { kind: 'create' }): Promise<void> {
    const dueAt = this.clock.now() + delayMs;
    const request = taskRequest({ timeoutMs: TIMEOUT_MS, maxAttempts: MAX_ATTEMPTS });
    const task = queuedTask({ dropletName: droplet, priority, runAt: dueAt, request });
    this.created.push(task.id);
    await this.store.accept([{ task, job: firstJob(task, dueAt, TIMEOUT_MS), key: null }]);
  }

  private answer(call: number, status: number | null): void {
    const [open] = this.calls.splice(call % Math.max(1, this.calls.length), 1);
    open?.end(outcomeOf(status));
  }

  private async cancel(id: string | undefined): Promise<void> {
    if (id === undefined) return;
    const wasFinal = isFinal(this.before.get(id)!.status);
    const cancelled = await this.control!.cancel(id, ANYBODY).catch((error: unknown) => error);
    if (wasFinal) expect(cancelled).toBeInstanceOf(ConflictError);
    else expect(cancelled).toMatchObject({ id, status: 'cancelled', error: { code: 'CANCELLED' } });
  }

  /** The id, if the task was run again. */
  private async retry(id: string | undefined): Promise<string | null> {
    if (id === undefined) return null;
    const mayBe = ['error', 'timeout', 'cancelled'].includes(this.before.get(id)!.status);
    const retried = await this.control!.retry(id, ANYBODY).catch((error: unknown) => error);
    if (mayBe) expect(retried).toMatchObject({ id, status: 'queued', completedAt: null, error: null });
    else expect(retried).toBeInstanceOf(ConflictError);
    return mayBe ? id : null;
  }

  /** The process is gone: nothing of it happens any more, and another one begins. */
  private async crash(): Promise<void> {
    this.queue.stop();
    this.calls = [];
    const { tasks, queue } = storesOf(this.open, this.clock, 100);
    this.store = tasks;
    this.queue = queue;
    await this.boot();
  }

  /** Droplets that answer when the test says so, and a plan of fixed waits. */
  private caller(): TaskCaller {
    const step = async (task: CallableTask, progress: Progress, abort: AbortSignal): Promise<Step> => {
      const startedAt = this.clock.now();
      expect([task.id, (await this.store.get(task.id))?.status]).toEqual([task.id, 'running']);
      expect(this.calls.map(({ id }) => id)).not.toContain(task.id);
      const outcome = await new Promise<Outcome>((resolve) => {
        this.calls.push({ id: task.id, end: resolve });
        abort.addEventListener('abort', () => resolve({ kind: 'aborted', sent: true, message: 'aborted' }));
      });
      this.calls = this.calls.filter(({ id }) => id !== task.id);
      const { attempt, delayMs } = progress;
      const durationMs = this.clock.now() - startedAt;
      const made = { attempt, startedAt, durationMs, delayMs, target: null, outcome, isFailed: isFailedAttempt(outcome, []) };
      return { made, verdict: this.judge(outcome, progress) };
    };
    const caller = Object.create(TaskCaller.prototype) as TaskCaller;
    return Object.assign(caller, {
      ...{ step, nameOf: (typed: string) => typed, statusOf: () => 'active' },
      ...{ takeRetry: () => true, policyOf: () => null, roomOf: () => ({ most: 2, now: 2, askAgainMs: 0 }) },
    });
  }

  private judge(outcome: Outcome, { attempt, attemptsBefore, deadline }: Progress): Verdict {
    const failed = outcome.kind === 'not-sent' || (outcome.kind === 'answered' && outcome.status === 503);
    if (!failed) return { again: false, stoppedBy: null };
    if (attempt - attemptsBefore >= MAX_ATTEMPTS) return { again: false, stoppedBy: 'attempts' };
    if (deadline - this.clock.monotonic() <= RETRY_MS) return { again: false, stoppedBy: 'deadline' };
    return { again: true, delayMs: RETRY_MS, isCharged: true };
  }

  /** What must hold at every moment. */
  private async check(retried: string | null): Promise<void> {
    const records = await this.records();
    for (const after of records) this.checkOne(this.before.get(after.id), after, retried);
    const count = (status: string): number => records.filter((task) => task.status === status).length;
    const { success, error, timeout, retries } = await this.store.totals();
    expect({ success, error, timeout }).toEqual({ success: count('success'), error: count('error'), timeout: count('timeout') });
    const counted = records.filter(({ status }) => ['success', 'error', 'timeout'].includes(status));
    expect(retries).toBe(counted.reduce((sum, task) => sum + task.retryCount, 0));
    expect(this.jobCount()).toBe(count('queued') + count('running'));
    expect(this.calls.map(({ id }) => id).sort()).toEqual(
      records
        .filter(({ status }) => status === 'running')
        .map(({ id }) => id)
        .sort(),
    );
    const { total } = await this.store.list({ meta: {}, limit: 1 });
    expect(total).toBe(this.created.length);
  }

  private checkOne(before: TaskRecord | undefined, after: TaskRecord, retried: string | null): void {
    this.before.set(after.id, after);
    expect(after.history).toHaveLength(after.attempts);
    expect(isFinal(after.status)).toBe(after.completedAt !== null);
    if (!before) return;
    expect(after.attempts).toBeGreaterThanOrEqual(before.attempts);
    expect(after.retryCount).toBeGreaterThanOrEqual(before.retryCount);
    if (isFinal(before.status) && retried !== after.id) expect(after).toEqual(before);
  }

  private async records(): Promise<TaskRecord[]> {
    const found = await Promise.all(this.created.map((id) => this.store.get(id)));
    expect(found).not.toContain(null);
    return found.filter((task) => task !== null);
  }

  private jobCount(): number {
    return Number(this.open.database.prepare('SELECT COUNT(*) AS count FROM jobs').get()?.count);
  }
}

async function plays(events: readonly Event[]): Promise<void> {
  const world = new World();
  try {
    await world.boot();
    for (const event of events) await world.happens(event);
    await world.comesToItsEnd();
  } finally {
    world.close();
  }
}

/** So many schedules, chosen at random. */
export function taskMachineContract(runs: number): void {
  describe(`${runs} schedules of create, answer, cancel, deadline, retry and crash`, () => {
    it(
      'lose no task, leave none stuck, and change no final state but by a retry',
      async () => {
        await fc.assert(fc.asyncProperty(fc.array(anyEvent, { minLength: 1, maxLength: 30 }), plays), {
          seed: 20_260_101,
          numRuns: runs,
        });
      },
      60 * runs,
    );
  });
}
