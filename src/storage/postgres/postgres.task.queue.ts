import type { Clock } from '../../common/clock.js';
import type { Log } from '../../common/log.js';
import type { QueueFigures } from '../../metrics/figures.js';
import { TaskQueue, type Job, type JobHandler, type LaneRoom } from '../../tasks/task.queue.js';
import type { Claimed, ClaimedJob, JobSource } from '../job.source.js';
import { LaneDispatcher } from '../lane.dispatcher.js';
import type { ClusterBus } from './cluster.bus.js';
import { dueTimes, dueTimeOf, markClaimed, waitingJobs } from './job.claims.js';
import { queueOf, type ClaimedPlace, type PostgresJobs } from './postgres.jobs.js';
import type { PostgresConnection } from './postgres.connection.js';
import { leaseFor } from './task.batch.js';

/** How often all queues are looked at, for what no message told of. */
const LOOK_EVERY_MS = 2000;
/** A queue that has due jobs but no room for them in the cluster is looked at again after this. */
const AFTER_FULL_MS = 1000;
/** Who took a job looks at it first. */
const AFTER_HINT_MS = 10;
/** A third of what pg-boss waits before it takes jobs of a silent replica away. */
const TOUCH_EVERY_MS = 3000;

/** What the queue is made of. */
export interface QueueParts {
  readonly connection: PostgresConnection;
  readonly jobs: PostgresJobs;
  readonly bus: ClusterBus;
  readonly clock: Clock;
  readonly log: Log;
}

export interface QueueLimits {
  /** Jobs of one droplet that run side by side in the cluster, before its own policy is known. */
  readonly perLane: number;
  /** Jobs of all droplets that run side by side in this process. */
  readonly inAll: number;
}

/**
 * The queue of all replicas: jobs wait in pg-boss, and each replica has a dispatcher that fetches them. A message from
 * the replica that put a job wakes the others; a look at all queues now and then finds what no message told of.
 */
export class PostgresTaskQueue extends TaskQueue implements JobSource {
  private readonly dispatcher: LaneDispatcher;
  private readonly held = new Map<string, ClaimedPlace>();
  private readonly stopped = new AbortController();
  private readonly claims = new Set<Promise<unknown>>();
  /** Jobs in the cluster at the last look, and what has come here since. */
  private count = 0;
  /** When the oldest waiting job in the cluster was due, at the last look; steady epoch ms, Infinity for none. */
  private oldestDueAt = Infinity;
  private roomOfLane: (lane: string) => LaneRoom = () => ({ most: 0, now: 0, askAgainMs: 0 });
  /** The lane of each queue of one droplet that has been seen. */
  private readonly lanes = new Map<string, string>();

  constructor(
    private readonly parts: QueueParts,
    private readonly limits: QueueLimits,
  ) {
    super();
    const { bus, clock, log } = parts;
    this.dispatcher = new LaneDispatcher({ source: this, clock, log }, limits.inAll);
    bus.on('due', (queue) => this.dispatcher.wake(String(queue), clock.steady() + AFTER_HINT_MS));
    bus.onReconnect(() => void this.lookAtAll());
  }

  get jobs(): PostgresJobs {
    return this.parts.jobs;
  }

  get size(): number {
    return this.count;
  }

  work(handler: JobHandler, roomOf: (lane: string) => LaneRoom): void {
    this.roomOfLane = roomOf;
    const handle: JobHandler = async (job, claim) => {
      await handler(job, claim);
      this.held.delete(claim.lease ?? '');
    };
    this.dispatcher.start(handle, (queue) => this.roomOf(queue));
    void this.every(LOOK_EVERY_MS, () => this.lookAtAll());
    void this.every(TOUCH_EVERY_MS, () => this.parts.jobs.touch([...this.held.values()]));
  }

  /** A job was added and is durable. */
  added(job: Job): void {
    this.count++;
    const queue = queueOf(job);
    this.lanes.set(queue, job.lane);
    // What is due later is found by everybody's look, should we be gone by then.
    if (job.dueAt <= this.parts.clock.steady()) this.parts.bus.send('due', queue, queue);
    this.dispatcher.wake(queue, job.dueAt);
  }

  /** A job has left the store. */
  removed(): void {
    this.count--;
  }

  figures(): QueueFigures {
    const { runningCount: running } = this.dispatcher;
    const oldestDueMs = Math.max(0, this.parts.clock.steady() - this.oldestDueAt);
    return { waiting: Math.max(0, this.count - running), running, oldestDueMs };
  }

  abort(id: string): boolean {
    return this.dispatcher.abort(id);
  }

  stop(): void {
    this.dispatcher.stop();
    this.stopped.abort();
  }

  /** Resolves when no claim is under way. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.claims);
  }

  claim(queue: string, limit: number, stopped: AbortSignal): Promise<Claimed> {
    const claim = this.take(queue, limit, stopped);
    this.claims.add(claim);
    return claim.finally(() => this.claims.delete(claim));
  }

  async giveBack({ lease }: ClaimedJob): Promise<void> {
    const place = this.held.get(lease ?? '');
    this.held.delete(lease ?? '');
    if (place) await this.parts.jobs.fail(place);
  }

  private roomOf(queue: string): LaneRoom {
    const lane = this.lanes.get(queue);
    // Of a queue that was never seen, a first job tells the lane.
    return lane === undefined ? { most: this.limits.perLane, now: 1, askAgainMs: AFTER_FULL_MS } : this.roomOfLane(lane);
  }

  private async take(queue: string, limit: number, stopped: AbortSignal): Promise<Claimed> {
    const { connection, jobs, clock } = this.parts;
    const options = { limit, perLane: this.roomOf(queue).most, now: clock.steady() };
    const fetched = await connection.transaction(async (session) => {
      const claimed = await jobs.claim(queue, options, session);
      // Nobody would run them: the transaction is taken back.
      stopped.throwIfAborted();
      return claimed;
    }, 'local');
    const isShort = fetched.length < limit;
    const [ours, dueIn] = await Promise.all([
      fetched.length === 0 ? [] : markClaimed(fetched, connection, jobs),
      isShort ? dueTimeOf(queue, connection) : 0,
    ]);
    for (const { place } of ours) {
      this.lanes.set(queue, place.job.lane);
      this.held.set(leaseFor(place.id, place.count), place);
    }
    const dueAt = clock.steady() + dueIn;
    const isFull = isShort && dueIn <= 0;
    return {
      jobs: ours.map(({ place: { id, count, job }, task }) => ({ job, task, lease: leaseFor(id, count) })),
      nextDue: isFull ? clock.steady() + AFTER_FULL_MS : dueAt,
    };
  }

  private async lookAtAll(): Promise<void> {
    const { connection, clock } = this.parts;
    const [due, count] = await Promise.all([dueTimes(connection), waitingJobs(connection)]);
    this.count = count;
    this.oldestDueAt = clock.steady() + Math.min(...due.map(([, inMs]) => inMs));
    for (const [queue, inMs] of due) this.dispatcher.wake(queue, clock.steady() + inMs);
  }

  /** Does it now and then until the queue stops; what fails is done again the next time. */
  private async every(ms: number, work: () => Promise<unknown>): Promise<void> {
    do await work().catch((err: unknown) => this.parts.log.debug({ err }, 'queue not looked after'));
    while (await this.parts.clock.sleep(ms, this.stopped.signal));
  }
}
