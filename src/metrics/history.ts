import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Lifecycle } from '../common/lifecycle.js';
import { Metrics } from './metrics.js';
import type { StepOutcomes } from './step.figures.js';

export const STEP_MS = 15_000;
/** An hour. */
export const KEPT_STEPS = 240;

/** How a step went: what ended in it, and how much there was to do at its end. */
export interface Sample extends StepOutcomes {
  /** Its end, epoch milliseconds. */
  readonly at: number;
  /** How long it really was. */
  readonly ms: number;
  /** Asynchronous tasks and callbacks that waited or ran, in all processes. */
  readonly queued: number;
  readonly inFlight: number;
  /** Calls that waited for a place. */
  readonly waiting: number;
}

/** The last hour in steps, as this process saw it: a ring of samples, so that memory stays flat. */
@Injectable()
export class History implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly samples: Sample[] = [];
  private beganAt: number;
  private cancelNext: () => void = () => undefined;

  constructor(
    private readonly metrics: Metrics,
    private readonly clock: Clock,
    private readonly lifecycle: Lifecycle,
  ) {
    this.beganAt = clock.monotonic();
  }

  onApplicationBootstrap(): void {
    this.beganAt = this.clock.monotonic();
    this.planNext();
    this.lifecycle.draining.addEventListener('abort', () => this.cancelNext());
  }

  onModuleDestroy(): void {
    this.cancelNext();
  }

  /** The steps that ended after a time, epoch milliseconds, oldest first. */
  after(at: number): readonly Sample[] {
    return this.samples.filter((sample) => sample.at > at);
  }

  /** The step that is under way. */
  get current(): Sample {
    return this.sampled(this.metrics.step.outcomes);
  }

  private endStep(): void {
    this.samples.push(this.sampled(this.metrics.step.take()));
    if (this.samples.length > KEPT_STEPS) this.samples.shift();
    this.beganAt = this.clock.monotonic();
    this.planNext();
  }

  private planNext(): void {
    this.cancelNext = this.clock.after(STEP_MS, () => this.endStep());
  }

  private sampled(outcomes: StepOutcomes): Sample {
    const { traffic, queued } = this.metrics.sources;
    let [inFlight, waiting] = [0, 0];
    for (const droplet of traffic()) {
      inFlight += droplet.inFlight;
      waiting += droplet.waiting;
    }
    const ms = this.clock.monotonic() - this.beganAt;
    return { ...outcomes, at: this.clock.now(), ms, queued: queued(), inFlight, waiting };
  }
}
