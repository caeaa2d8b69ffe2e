import { Injectable } from '@nestjs/common';
import { Durations } from './durations.js';
import type { FinishedTask } from './finished.task.js';
import { createInstruments } from './instruments.js';
import { StepFigures } from './step.figures.js';

const BREAKER_STATES = ['closed', 'half-open', 'open', 'paused'] as const;

/** Finished tasks ever, as the store keeps them; contract §4. */
export interface TaskTotals {
  readonly success: number;
  readonly error: number;
  readonly timeout: number;
  /** The sum of each task's failed attempts. */
  readonly retries: number;
  readonly retriedToSuccess: number;
  readonly retriedToFailure: number;
}

/** What the droplet list is like at this moment. */
export interface RegistryFigures {
  readonly cacheAgeSeconds: number;
  readonly cacheStatus: string;
  readonly known: number;
  readonly reachable: number;
}

/** How the calls to one droplet go at this moment. */
export interface TrafficFigures {
  readonly droplet: string;
  readonly breaker: (typeof BREAKER_STATES)[number];
  readonly inFlight: number;
  readonly waiting: number;
}

export interface SyncFigures {
  readonly total: number;
  readonly success: number;
  readonly error: number;
  /** Epoch milliseconds of the last good sync. */
  readonly lastSync: number | null;
  readonly lastDurationMs: number;
}

/** Where the figures come from that are computed when asked; their owners hand them in. */
export interface FigureSources {
  totals: () => Promise<TaskTotals>;
  registry: () => RegistryFigures;
  /** Of the droplets that had calls. */
  traffic: () => readonly TrafficFigures[];
  /** Asynchronous tasks and callbacks that wait or run, in all processes. */
  queued: () => number;
}

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
    const { totals, registry, traffic, queued } = this.given;
    if (!totals || !registry || !traffic || !queued) throw new Error('The owners of the figures have not handed them in yet');
    return { totals, registry, traffic, queued };
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

  retryRefused(droplet: string): void {
    this.instruments.retriesRefused.inc({ droplet });
  }

  /** Drops what was counted of all other droplets. */
  async keepDroplets(isKept: (droplet: string) => boolean): Promise<void> {
    const { tasks, attempts, taskDuration, failedAttempts, attemptDuration, retriesRefused } = this.instruments;
    const isGone = ({ droplet }: Partial<Record<'droplet', string | number>>): boolean => !isKept(String(droplet));
    const [ofTasks, ofAttempts] = await Promise.all([tasks.get(), attempts.get()]);
    for (const { labels } of ofTasks.values.filter((value) => isGone(value.labels))) {
      tasks.remove(labels);
      for (const metric of [taskDuration, failedAttempts]) metric.remove(String(labels.droplet));
    }
    for (const { labels } of ofAttempts.values.filter((value) => isGone(value.labels))) {
      attempts.remove(labels);
      for (const metric of [attemptDuration, retriesRefused]) metric.remove(String(labels.droplet));
    }
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
    const { known, reachable, cacheAgeSeconds } = this.sources.registry();
    this.instruments.dropletsKnown.set(known);
    this.instruments.dropletsReachable.set(reachable);
    this.instruments.cacheAge.set(cacheAgeSeconds);
    this.setTraffic();
    const { registry } = this.instruments;
    return { contentType: registry.contentType, text: await registry.metrics() };
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
