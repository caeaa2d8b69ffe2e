import type { Clock } from '../../common/clock.js';
import type { Log } from '../../common/log.js';
import { TaskQueue, type Job, type JobHandler } from '../../tasks/task.queue.js';
import type { GroupCommit } from './group.commit.js';
import type { SqliteJobs } from './sqlite.jobs.js';

/** The wait before a claim that failed is tried again. */
const AFTER_FAILURE_MS = 500;

export interface QueueLimits {
  /** Jobs of one lane that run side by side. */
  readonly perLane: number;
  /** Jobs of all lanes that run side by side. */
  readonly inAll: number;
}

/** What the queue is made of. */
export interface QueueParts {
  readonly jobs: SqliteJobs;
  readonly commits: GroupCommit;
  readonly clock: Clock;
  readonly log: Log;
}

/** The jobs of one droplet, or of one callback's host. */
interface Lane {
  running: number;
  isClaiming: boolean;
  /** Lower bound of the time when its next waiting job is due, epoch ms. */
  nextDue: number;
}

/**
 * The queue of one process: jobs wait in SQLite, and memory holds only how busy each lane is and when it is next due.
 * It sleeps until an enqueue, an ended job or the next due time wakes it.
 */
export class SqliteTaskQueue extends TaskQueue {
  private readonly lanes = new Map<string, Lane>();
  private readonly running = new Map<string, AbortController>();
  /** Lanes that have due jobs but found all places taken, in the order they came. */
  private readonly starved = new Set<string>();
  private handler: JobHandler | null = null;
  /** Places that claims under way may still fill. */
  private reserved = 0;
  private cancelTimer: () => void = () => undefined;
  private timerAt = Infinity;
  private count = 0;

  readonly jobs: SqliteJobs;
  private readonly commits: GroupCommit;
  private readonly clock: Clock;
  private readonly log: Log;

  constructor(
    { jobs, commits, clock, log }: QueueParts,
    private readonly limits: QueueLimits,
  ) {
    super();
    this.jobs = jobs;
    this.commits = commits;
    this.clock = clock;
    this.log = log;
  }

  get size(): number {
    return this.count;
  }

  work(handler: JobHandler): void {
    this.handler = handler;
    const lanes = this.jobs.lanes();
    this.count = lanes.reduce((sum, { jobs }) => sum + jobs, 0);
    for (const { lane } of lanes) this.wake(lane, 0);
  }

  /** A job was added and is durable. */
  added({ lane, dueAt }: Job): void {
    this.count++;
    this.wake(lane, dueAt);
  }

  /** A job has left the store. */
  removed(): void {
    this.count--;
  }

  abort(id: string): boolean {
    const running = this.running.get(keyOf({ id, kind: 'task' }));
    running?.abort();
    return running !== undefined;
  }

  stop(): void {
    this.handler = null;
    this.cancelTimer();
  }

  private wake(name: string, dueAt: number): void {
    const lane = this.lanes.get(name) ?? { running: 0, isClaiming: false, nextDue: Infinity };
    this.lanes.set(name, lane);
    lane.nextDue = Math.min(lane.nextDue, dueAt);
    this.pump(name, lane);
  }

  private pump(name: string, lane: Lane): void {
    const { handler } = this;
    if (!handler || lane.isClaiming) return;
    if (lane.nextDue > this.clock.now()) return this.wakeAt(lane.nextDue);
    const free = this.limits.inAll - this.running.size - this.reserved;
    const places = Math.min(this.limits.perLane - lane.running, free);
    if (places > 0) void this.claim(name, lane, { places, handler });
    else if (lane.running < this.limits.perLane) this.starved.add(name);
  }

  /** Places are reserved while the claim commits, so that two lanes cannot take the same one. */
  private async claim(name: string, lane: Lane, { places, handler }: { places: number; handler: JobHandler }): Promise<void> {
    lane.isClaiming = true;
    this.reserved += places;
    const jobs = await this.take(name, lane, places);
    this.reserved -= places;
    lane.isClaiming = false;
    for (const job of jobs) void this.run(job, lane, handler);
    this.pump(name, lane);
    this.pumpStarved();
    this.forgetIfIdle(name, lane);
  }

  private async take(name: string, lane: Lane, places: number): Promise<Job[]> {
    try {
      return await this.commits.write(() => {
        // Stopped since: nobody would run them, and the next process would take them for interrupted.
        if (!this.handler) return [];
        const jobs = this.jobs.claim(name, this.clock.now(), places);
        lane.nextDue = jobs.length < places ? this.jobs.nextDue(name) : 0;
        return jobs;
      });
    } catch (err) {
      this.log.warn({ err, lane: name }, 'jobs not claimed');
      lane.nextDue = this.clock.now() + AFTER_FAILURE_MS;
      return [];
    }
  }

  private async run(job: Job, lane: Lane, handler: JobHandler): Promise<void> {
    const abort = new AbortController();
    this.running.set(keyOf(job), abort);
    lane.running++;
    try {
      await handler(job, abort.signal);
    } catch (err) {
      this.log.error({ err, task_id: job.id }, 'job failed');
    }
    this.running.delete(keyOf(job));
    lane.running--;
    this.pumpStarved();
    this.pump(job.lane, lane);
    this.forgetIfIdle(job.lane, lane);
  }

  /** Lanes that found no place come first, in their order, for as long as there is one. */
  private pumpStarved(): void {
    for (const name of this.starved) {
      if (this.running.size + this.reserved >= this.limits.inAll) return;
      this.starved.delete(name);
      const lane = this.lanes.get(name);
      if (lane) this.pump(name, lane);
    }
  }

  private forgetIfIdle(name: string, lane: Lane): void {
    if (lane.running === 0 && !lane.isClaiming && lane.nextDue === Infinity) this.lanes.delete(name);
  }

  /** One timer serves all lanes: when it fires, each lane looks for itself. */
  private wakeAt(time: number): void {
    if (time >= this.timerAt || time === Infinity) return;
    this.cancelTimer();
    this.timerAt = time;
    this.cancelTimer = this.clock.after(Math.max(0, time - this.clock.now()), () => {
      this.timerAt = Infinity;
      for (const [name, lane] of this.lanes) this.pump(name, lane);
    });
  }
}

/** A task that is run again may run beside the callback of its end before. */
const keyOf = ({ id, kind }: Pick<Job, 'id' | 'kind'>): string => `${kind} ${id}`;
