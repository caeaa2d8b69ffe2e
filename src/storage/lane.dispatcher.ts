import { currentSpan } from '../common/current.span.js';
import type { Clock } from '../common/clock.js';
import type { Log } from '../common/log.js';
import type { Job, JobHandler, LaneRoom } from '../tasks/task.queue.js';
import type { Claimed, ClaimedJob, JobSource } from './job.source.js';

/** The wait before a claim that failed is tried again. */
const AFTER_FAILURE_MS = 500;

/** The jobs of one droplet, or of one callback's host. */
interface Lane {
  running: number;
  isClaiming: boolean;
  /** Lower bound of the time when its next waiting job is due, steady epoch ms. */
  nextDue: number;
}

/** One job that is being done. */
interface Run {
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/** What a dispatcher is made of. */
export interface DispatcherParts {
  readonly source: JobSource;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Hands the due jobs of many lanes to one handler as there is room: memory holds only how busy each lane is and when
 * it is next due. It sleeps until an added job, an ended one or the next due time wakes it.
 */
export class LaneDispatcher {
  private readonly lanes = new Map<string, Lane>();
  private readonly running = new Map<string, Run>();
  /** Lanes that have due jobs but found all places taken, in the order they came. */
  private readonly starved = new Set<string>();
  private readonly stopped = new AbortController();
  private handler: JobHandler | null = null;
  private roomOf: (name: string) => LaneRoom = () => ({ most: 0, now: 0, askAgainMs: 0 });
  /** Places that claims under way may still fill. */
  private reserved = 0;
  private cancelTimer: () => void = () => undefined;
  private timerAt = Infinity;

  constructor(
    private readonly parts: DispatcherParts,
    /** Jobs of all lanes that run side by side in this process. */
    private readonly maxInAll: number,
  ) {}

  /** Begins to hand out; lanes that were woken before are looked at now. */
  start(handler: JobHandler, roomOf: (name: string) => LaneRoom): void {
    this.handler = handler;
    this.roomOf = roomOf;
    for (const [name, lane] of this.lanes) this.pump(name, lane);
  }

  /** Hands out no more; what runs goes on. */
  stop(): void {
    this.handler = null;
    this.stopped.abort();
    this.cancelTimer();
  }

  /** A lane has a job that is due at `dueAt`, steady epoch ms. */
  wake(name: string, dueAt: number): void {
    const lane = this.lanes.get(name) ?? { running: 0, isClaiming: false, nextDue: Infinity };
    this.lanes.set(name, lane);
    lane.nextDue = Math.min(lane.nextDue, dueAt);
    this.pump(name, lane);
  }

  /** Cuts off the running job of a task; false when none runs here. */
  abort(id: string): boolean {
    const running = this.running.get(keyOf({ id, kind: 'task' }));
    running?.abort.abort();
    return running !== undefined;
  }

  /** Jobs that run here. */
  get runningCount(): number {
    return this.running.size;
  }

  /** The lanes in which a waiting job may be due. */
  dueLanes(now: number): string[] {
    return [...this.lanes].filter(([, { nextDue }]) => nextDue <= now).map(([name]) => name);
  }

  private pump(name: string, lane: Lane): void {
    const { handler } = this;
    if (!handler || lane.isClaiming) return;
    if (lane.nextDue > this.parts.clock.steady()) return this.wakeAt(lane.nextDue);
    const free = this.maxInAll - this.running.size - this.reserved;
    const room = this.roomOf(name);
    const places = Math.min(room.now - lane.running, free);
    // Out of the span of whoever has woken the lane: the jobs are others' too.
    if (places > 0) void currentSpan.exit(() => this.claim(name, lane, { places, handler }));
    else if (lane.running < room.now) this.starved.add(name);
    else if (room.now < room.most) this.wakeAt(this.parts.clock.steady() + room.askAgainMs);
  }

  /** Places are reserved while the claim is under way, so that two lanes cannot take the same one. */
  private async claim(name: string, lane: Lane, { places, handler }: { places: number; handler: JobHandler }): Promise<void> {
    lane.isClaiming = true;
    lane.nextDue = Infinity;
    this.reserved += places;
    const { jobs, nextDue } = await this.take(name, places);
    lane.nextDue = Math.min(lane.nextDue, nextDue);
    this.reserved -= places;
    lane.isClaiming = false;
    for (const claimed of jobs) void this.run(claimed, { name, lane, handler });
    this.pump(name, lane);
    this.pumpStarved();
    this.forgetIfIdle(name, lane);
  }

  private async take(name: string, places: number): Promise<Claimed> {
    const { source, clock, log } = this.parts;
    try {
      return await source.claim(name, places, this.stopped.signal);
    } catch (err) {
      if (!this.stopped.signal.aborted) log.warn({ err, lane: name }, 'jobs not claimed');
      return { jobs: [], nextDue: clock.steady() + AFTER_FAILURE_MS };
    }
  }

  private async run(claimed: ClaimedJob, at: { name: string; lane: Lane; handler: JobHandler }): Promise<void> {
    const { name, lane, handler } = at;
    const key = keyOf(claimed.job);
    lane.running++;
    // A job that was put off can be claimed again in the same commit, before its run hears that it has ended.
    const before = this.running.get(key);
    if (before) await before.ended;
    const abort = new AbortController();
    const ended = this.handle(claimed, handler, abort.signal);
    this.running.set(key, { abort, ended });
    await ended;
    this.running.delete(key);
    lane.running--;
    this.pumpStarved();
    this.pump(name, lane);
    this.forgetIfIdle(name, lane);
  }

  private async handle(claimed: ClaimedJob, handler: JobHandler, abort: AbortSignal): Promise<void> {
    const { job, task, lease } = claimed;
    try {
      await handler(job, { task, abort, lease });
    } catch (err) {
      this.parts.log.error({ err, task_id: job.id }, 'job failed');
      await this.giveBack(claimed);
    }
  }

  private async giveBack(claimed: ClaimedJob): Promise<void> {
    try {
      await this.parts.source.giveBack(claimed);
    } catch (err) {
      this.parts.log.error({ err, task_id: claimed.job.id }, 'job not given back');
    }
  }

  /** Lanes that found no place come first, in their order, for as long as there is one. */
  private pumpStarved(): void {
    for (const name of this.starved) {
      if (this.running.size + this.reserved >= this.maxInAll) return;
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
    const { clock } = this.parts;
    this.cancelTimer();
    this.timerAt = time;
    this.cancelTimer = clock.after(Math.max(0, time - clock.steady()), () => {
      this.timerAt = Infinity;
      for (const [name, lane] of this.lanes) this.pump(name, lane);
    });
  }
}

/** A task that is run again may run beside the callback of its end before. */
const keyOf = ({ id, kind }: Pick<Job, 'id' | 'kind'>): string => `${kind} ${id}`;
