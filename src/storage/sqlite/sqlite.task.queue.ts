import type { Clock } from '../../common/clock.js';
import type { Log } from '../../common/log.js';
import type { QueueFigures } from '../../metrics/figures.js';
import { TaskQueue, type Job, type JobHandler, type LaneRoom } from '../../tasks/task.queue.js';
import type { Claimed, ClaimedJob, JobSource } from '../job.source.js';
import { LaneDispatcher } from '../lane.dispatcher.js';
import type { GroupCommit } from './group.commit.js';
import { leaseOf, type SqliteJobs } from './sqlite.jobs.js';

/** The wait before a job whose handler failed is handed out again. */
const AFTER_FAILURE_MS = 1000;

/** What the queue is made of. */
export interface QueueParts {
  readonly jobs: SqliteJobs;
  readonly commits: GroupCommit;
  readonly clock: Clock;
  readonly log: Log;
}

/** The queue of one process: jobs wait in SQLite, and a dispatcher hands them out. */
export class SqliteTaskQueue extends TaskQueue implements JobSource {
  readonly jobs: SqliteJobs;
  private readonly commits: GroupCommit;
  private readonly clock: Clock;
  private readonly dispatcher: LaneDispatcher;
  private count = 0;

  /** @param maxInAll jobs of all lanes that run side by side */
  constructor({ jobs, commits, clock, log }: QueueParts, maxInAll: number) {
    super();
    this.jobs = jobs;
    this.commits = commits;
    this.clock = clock;
    this.dispatcher = new LaneDispatcher({ source: this, clock, log }, maxInAll);
  }

  get size(): number {
    return this.count;
  }

  work(handler: JobHandler, roomOf: (lane: string) => LaneRoom): void {
    const lanes = this.jobs.lanes();
    this.count = lanes.reduce((sum, { jobs }) => sum + jobs, 0);
    for (const { lane } of lanes) this.dispatcher.wake(lane, 0);
    this.dispatcher.start(handler, roomOf);
  }

  /** A job was added and is durable. */
  added({ lane, dueAt }: Job): void {
    this.count++;
    this.dispatcher.wake(lane, dueAt);
  }

  /** A job has left the store. */
  removed(): void {
    this.count--;
  }

  figures(): QueueFigures {
    const now = this.clock.steady();
    const oldest = this.jobs.oldestDue(this.dispatcher.dueLanes(now), this.count);
    const { runningCount: running } = this.dispatcher;
    return { waiting: Math.max(0, this.count - running), running, oldestDueMs: Math.max(0, now - oldest) };
  }

  abort(id: string): boolean {
    return this.dispatcher.abort(id);
  }

  stop(): void {
    this.dispatcher.stop();
  }

  claim(lane: string, limit: number, stopped: AbortSignal): Promise<Claimed> {
    return this.commits.write(() => {
      // Nobody would run them, and the next process would take them for interrupted.
      if (stopped.aborted) return { jobs: [], nextDue: Infinity };
      const jobs = this.jobs
        .claim(lane, this.clock.steady(), limit)
        .map((claimed) => ({ ...claimed, lease: leaseOf(claimed.job) }));
      return { jobs, nextDue: jobs.length < limit ? this.jobs.nextDue(lane) : 0 };
    });
  }

  async giveBack({ job }: ClaimedJob): Promise<void> {
    const dueAt = this.clock.steady() + AFTER_FAILURE_MS;
    const isBack = await this.commits.write(() => this.jobs.putBack({ ...job, dueAt, interruptions: job.interruptions + 1 }));
    if (isBack) this.dispatcher.wake(job.lane, dueAt);
  }
}
