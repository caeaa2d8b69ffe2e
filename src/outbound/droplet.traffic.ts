import type { Clock } from '../common/clock.js';
import { CircuitOpenError, OverloadedError } from '../common/errors.js';
import type { Bulkhead, Entry } from './bulkhead.js';
import { CallFigures } from './call.figures.js';
import { CircuitBreaker, type BreakerOrder, type Leave } from './circuit.breaker.js';
import type { DropletHealth } from './droplet.health.js';
import type { DropletPolicy } from './droplet.policy.js';
import type { Gate, Turn, TurnWait } from './gate.js';
import { Lane } from './lane.js';
import { RetryBudget, type BudgetPolicy } from './retry.budget.js';

/** After the breaker has closed or the droplet was resumed, asynchronous calls double this often, beginning with one. */
const RAMP_STEP_MS = 500;
const PAUSED_RETRY_MS = 5000;

/** What an operator has said of a droplet. */
export interface DropletOrders {
  readonly paused: boolean;
  readonly breaker: BreakerOrder;
}

/** What holds where no operator has said anything. */
export const NO_ORDERS: DropletOrders = { paused: false, breaker: 'auto' };

/** How many asynchronous calls may be made side by side. */
export interface Room {
  /** When all is well. */
  readonly most: number;
  /** As things stand. */
  readonly now: number;
  /** When to ask again if that is less. */
  readonly askAgainMs: number;
}

/** What a droplet's traffic is made of. */
export interface TrafficParts {
  readonly bulkhead: Bulkhead;
  readonly budget: BudgetPolicy;
  readonly clock: Clock;
  /** True while the answers that are being read take all the memory that they may. */
  readonly isMemoryFull: () => boolean;
  /** Is told of each retry that the budget refuses. */
  readonly onRetryRefused: (droplet: string) => void;
  /** Is told of each wait for a place. */
  readonly onWaited: (droplet: string, ms: number) => void;
}

/** All calls to one droplet: its places, its breaker, its budget, and how it does. */
export class DropletTraffic implements Gate {
  private paused = false;
  private resumedAt = -Infinity;
  private readonly lane: Lane;
  private readonly breaker: CircuitBreaker;
  private readonly budget: RetryBudget;
  private readonly calls: CallFigures;

  constructor(
    readonly name: string,
    public policy: DropletPolicy,
    private readonly parts: TrafficParts,
  ) {
    const now = (): number => parts.clock.monotonic();
    this.lane = new Lane(
      () => this.policy,
      (ms) => parts.onWaited(name, ms),
    );
    this.breaker = new CircuitBreaker(() => this.policy.breaker, now);
    this.budget = new RetryBudget(parts.budget, now);
    this.calls = new CallFigures(now);
  }

  get isPaused(): boolean {
    return this.paused;
  }

  get isShut(): boolean {
    return this.paused || this.breaker.state === 'open';
  }

  /** @throws CircuitOpenError while no call passes */
  refuseIfShut(): void {
    if (this.isShut) throw this.shut();
  }

  get breakerState(): DropletHealth['breaker'] {
    return this.paused ? 'paused' : this.breaker.state;
  }

  /** True when nothing would be lost with it: no call for a minute, no order, and it is not shut. */
  get isIdle(): boolean {
    const isUsed = this.inFlight > 0 || this.waiting > 0 || this.calls.count > 0;
    return !isUsed && !this.isShut && this.breaker.order === 'auto';
  }

  get waiting(): number {
    return this.lane.line.length;
  }

  get inFlight(): number {
    return this.lane.inFlight;
  }

  /** What an operator wants. */
  obey({ paused, breaker }: DropletOrders): void {
    if (this.paused && !paused) this.resumedAt = this.parts.clock.monotonic();
    this.paused = paused;
    this.breaker.order = breaker;
  }

  takeRetry(): boolean {
    const isTaken = this.budget.take();
    if (!isTaken) this.parts.onRetryRefused(this.name);
    return isTaken;
  }

  enterNow(wait: TurnWait): Turn | null {
    this.refuse(wait);
    return this.parts.bulkhead.enterNow(this.lane) ? this.admit(wait) : null;
  }

  async enter(wait: TurnWait): Promise<Turn | null> {
    this.refuse(wait);
    const entry = await this.parts.bulkhead.enter(this.lane, wait);
    return entry === 'entered' ? this.admit(wait) : this.turnedAway(entry);
  }

  /** How many asynchronous calls may run: one while it is tried, and after that twice as many every half second. */
  room(): Room {
    const { maxInFlight: most } = this.policy;
    if (this.paused) return { most, now: 0, askAgainMs: PAUSED_RETRY_MS };
    if (this.breaker.state !== 'closed') {
      const askAgainMs = this.breaker.retryAfterMs;
      return { most, now: askAgainMs > 0 ? 0 : 1, askAgainMs: Math.max(askAgainMs, RAMP_STEP_MS) };
    }
    const passingForMs = Math.min(this.breaker.closedForMs, this.parts.clock.monotonic() - this.resumedAt);
    const ramp = 2 ** Math.min(20, Math.floor(passingForMs / RAMP_STEP_MS));
    return { most, now: Math.min(ramp, most), askAgainMs: RAMP_STEP_MS };
  }

  health(): DropletHealth {
    const isDown = this.paused || this.breaker.state !== 'closed';
    return {
      state: isDown ? 'down' : this.calls.state,
      breaker: this.breakerState,
      in_flight: this.lane.inFlight,
      success_rate_percent: this.calls.goodPercent,
      p95_ms: this.calls.p95,
    };
  }

  private shut(): CircuitOpenError {
    const afterMs = this.paused ? PAUSED_RETRY_MS : Math.max(1, this.breaker.retryAfterMs);
    return new CircuitOpenError(this.name, this.paused ? 'paused' : 'breaker', afterMs);
  }

  private turnedAway(entry: Exclude<Entry, 'entered'>): null {
    if (entry === 'gone') return null;
    const { maxInFlight, maxWaiting } = this.policy;
    throw new OverloadedError(
      entry === 'full'
        ? `Droplet '${this.name}' has ${maxInFlight} calls in flight and ${maxWaiting} waiting`
        : `No place for a call to droplet '${this.name}' before the deadline`,
    );
  }

  private refuse({ isPatient }: TurnWait): void {
    this.refuseIfShut();
    if (!isPatient && this.parts.isMemoryFull()) throw new OverloadedError('Too many answers are being read');
  }

  /** Who has a place gets a turn, unless the breaker is against it. */
  private admit(wait: TurnWait): Turn {
    const leave = this.paused ? null : this.breaker.enter();
    if (leave) return this.turn(leave, wait);
    this.parts.bulkhead.leave(this.lane);
    throw this.shut();
  }

  private turn(leave: Leave, { isFirst }: TurnWait): Turn {
    if (isFirst) this.budget.first();
    return {
      leave: (result, durationMs) => {
        this.parts.bulkhead.leave(this.lane);
        this.breaker.leave(leave, result);
        this.calls.record(result, durationMs);
      },
    };
  }
}
