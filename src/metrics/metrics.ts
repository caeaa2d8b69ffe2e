import { Injectable } from '@nestjs/common';
import { keepOf } from './droplet.labels.js';
import { Durations } from './durations.js';
import { BREAKER_STATES, type FigureSources, type FinishedTask, type SyncFigures } from './figures.js';
import { createInstruments } from './instruments.js';
import { StepFigures } from './step.figures.js';

/** Is told by the others what happened, and asks nobody. */
@Injectable()
export class Metrics {
  private readonly instruments = createInstruments();
  readonly durations = new Durations();
  /** Of the step of the history that is under way. */
  readonly step = new StepFigures();
  private syncFigures: SyncFigures = { total: 0, success: 0, error: 0, lastSync: null, lastDurationMs: 0 };
  private readonly given: Partial<FigureSources> = {};

  /** Takes a source of figures from its owner. */
  provide(sources: Partial<FigureSources>): void {
    Object.assign(this.given, sources);
  }

  get sources(): FigureSources {
    const { totals, registry, traffic, queue, queued, eventReaders, isStoreWritable } = this.given;
    if (!totals || !registry || !traffic || !queue || !queued || !eventReaders || !isStoreWritable)
      throw new Error('The owners of the figures have not handed them in yet');
    return { totals, registry, traffic, queue, queued, eventReaders, isStoreWritable };
  }

  get syncs(): SyncFigures {
    return this.syncFigures;
  }

  taskFinished(task: FinishedTask): void {
    const { droplet, status, durationMs, retryCount } = task;
    this.step.add(task);
    // A cancelled task is in none of the JSON figures; contract §4.
    if (status !== 'cancelled') this.durations.add(durationMs);
    this.instruments.tasks.inc({ droplet, status });
    this.instruments.taskDuration.observe({ droplet }, durationMs / 1000);
    if (retryCount > 0) this.instruments.failedAttempts.inc({ droplet }, retryCount);
  }

  requestFailed(method: string, route: string, code: string): void {
    this.instruments.errors.inc({ method, route, code });
  }

  attemptMade(droplet: string, outcome: string, durationMs: number): void {
    this.instruments.attempts.inc({ droplet, outcome });
    this.instruments.attemptDuration.observe({ droplet }, durationMs / 1000);
  }

  /** A synchronous task was answered: what it took beside its call. */
  routed(ms: number): void {
    this.instruments.overhead.observe(ms / 1000);
  }

  /** A call got its place at a droplet, or gave up, after a wait. */
  lineWaited(droplet: string, ms: number): void {
    this.instruments.lineWait.observe({ droplet }, ms / 1000);
  }

  /** An attempt of an asynchronous task begins. @param ms since it was due */
  queueWaited(droplet: string, ms: number): void {
    this.instruments.queueWait.observe({ droplet }, Math.max(0, ms) / 1000);
  }

  tasksRecovered(count: number): void {
    this.instruments.recovered.inc(count);
  }

  callbackTried(outcome: string): void {
    this.instruments.callbacks.inc({ outcome });
  }

  /** The store has committed. */
  committed(writes: number, ms: number): void {
    this.instruments.commitWrites.observe(writes);
    this.instruments.commitDuration.observe(ms / 1000);
  }

  retryRefused(droplet: string): void {
    this.instruments.retriesRefused.inc({ droplet });
  }

  /** Drops what was counted of all other droplets. */
  async keepDroplets(isKept: (droplet: string) => boolean): Promise<void> {
    const { tasks, taskDuration, failedAttempts, attempts, attemptDuration, retriesRefused, lineWait, queueWait } =
      this.instruments;
    const ofDroplets = [tasks, taskDuration, failedAttempts, attempts, attemptDuration, retriesRefused, lineWait, queueWait];
    await Promise.all(ofDroplets.map((metric) => keepOf(metric, isKept)));
  }

  /** @param at epoch milliseconds @param durationMs how long the read took @param rejected entries left out */
  registrySynced(at: number, durationMs: number, rejected: number): void {
    const { total, success } = this.syncFigures;
    this.syncFigures = { ...this.syncFigures, total: total + 1, success: success + 1, lastSync: at, lastDurationMs: durationMs };
    this.instruments.syncs.inc({ result: 'success' });
    this.instruments.rejectedEntries.inc(rejected);
  }

  registrySyncFailed(durationMs: number): void {
    const { total, error } = this.syncFigures;
    this.syncFigures = { ...this.syncFigures, total: total + 1, error: error + 1, lastDurationMs: durationMs };
    this.instruments.syncs.inc({ result: 'error' });
  }

  requestAnswered(method: string, route: string, status: number): void {
    this.instruments.requests.inc({ method, route, status });
  }

  /** The Prometheus text format. */
  async prometheus(): Promise<{ contentType: string; text: string }> {
    this.setFigures();
    const { registry, overhead, commitDuration, commitWrites } = this.instruments;
    const plain = [overhead, commitDuration, commitWrites].map((histogram) => histogram.text());
    return { contentType: registry.contentType, text: `${await registry.metrics()}\n${plain.join('\n')}` };
  }

  /** What is known only when it is asked for. */
  private setFigures(): void {
    const { dropletsKnown, dropletsReachable, cacheAge, eventReaders, storeWritable } = this.instruments;
    const { registry, ...sources } = this.sources;
    const { known, reachable, cacheAgeSeconds } = registry();
    dropletsKnown.set(known);
    dropletsReachable.set(reachable);
    cacheAge.set(cacheAgeSeconds);
    eventReaders.set(sources.eventReaders());
    storeWritable.set(sources.isStoreWritable() ? 1 : 0);
    this.setTraffic();
    this.setQueue();
  }

  /** A store that cannot be read takes none of the other figures with it: one of them says how it does. */
  private setQueue(): void {
    const { queueJobs, queueOldestDue } = this.instruments;
    try {
      const { waiting, running, oldestDueMs } = this.sources.queue();
      queueJobs.set({ state: 'waiting' }, waiting);
      queueJobs.set({ state: 'running' }, running);
      queueOldestDue.set(oldestDueMs / 1000);
    } catch {
      queueJobs.reset();
      queueOldestDue.set(NaN);
    }
  }

  /** What is no more in the figures is no more in the text. */
  private setTraffic(): void {
    const { breaker, inFlight, waiting } = this.instruments;
    for (const gauge of [breaker, inFlight, waiting]) gauge.reset();
    for (const figures of this.sources.traffic()) {
      const { droplet } = figures;
      for (const state of BREAKER_STATES) breaker.set({ droplet, state }, state === figures.breaker ? 1 : 0);
      inFlight.set({ droplet }, figures.inFlight);
      waiting.set({ droplet }, figures.waiting);
    }
  }
}
