import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Settings } from '../config/settings.js';
import type { TrafficFigures } from '../metrics/figures.js';
import { Metrics } from '../metrics/metrics.js';
import { Bulkhead } from './bulkhead.js';
import type { DropletHealth } from './droplet.health.js';
import { defaultPolicy, type DropletPolicy } from './droplet.policy.js';
import { DropletTraffic, NO_ORDERS, type DropletOrders } from './droplet.traffic.js';
import { ResponseMemory } from './response.memory.js';

/** How often droplets that are gone are looked for. */
const LOOK_EVERY_MS = 60_000;

/** How one does that was never called. */
const UNKNOWN: DropletHealth = { state: 'unknown', breaker: 'closed', in_flight: 0, success_rate_percent: null, p95_ms: null };

/** The traffic of every droplet, by its name without regard to case. */
@Injectable()
export class Traffic implements OnModuleInit {
  private readonly droplets = new Map<string, DropletTraffic>();
  private readonly orders = new Map<string, DropletOrders>();
  private readonly bulkhead: Bulkhead;
  private readonly fallback: DropletPolicy;
  private isListed: (name: string) => boolean = () => true;
  /** When those that are gone were last looked for, monotonic ms. */
  private lookedAt = -Infinity;

  constructor(
    private readonly settings: Settings,
    private readonly memory: ResponseMemory,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
  ) {
    this.bulkhead = new Bulkhead(settings.MAX_IN_FLIGHT, clock, () => memory.isFull);
    memory.onRoom(() => this.bulkhead.share());
    this.fallback = defaultPolicy(settings);
  }

  onModuleInit(): void {
    this.metrics.provide({ traffic: () => this.figures() });
  }

  /** Takes the Registry's word on which droplets there are. */
  goBy(isListed: (name: string) => boolean): void {
    this.isListed = isListed;
  }

  /** The traffic of a droplet, under the policy that holds now. */
  of(name: string, policy?: DropletPolicy): DropletTraffic {
    const key = name.toLowerCase();
    const traffic = this.droplets.get(key) ?? this.begin(key, name);
    if (policy) traffic.policy = policy;
    return traffic;
  }

  /** How a droplet does; to ask is no reason to keep anything of one that was never called. */
  healthOf(name: string): DropletHealth {
    const key = name.toLowerCase();
    const isKnown = this.droplets.has(key) || this.orders.has(key);
    return isKnown ? this.of(name).health() : UNKNOWN;
  }

  /** What operators have said, by droplet, in place of what they said before. */
  obey(orders: ReadonlyMap<string, DropletOrders>): void {
    this.orders.clear();
    for (const [name, said] of orders) this.orders.set(name.toLowerCase(), said);
    for (const [key, traffic] of this.droplets) traffic.obey(this.orders.get(key) ?? NO_ORDERS);
  }

  private figures(): TrafficFigures[] {
    this.forgetGone();
    return [...this.droplets.values()].map((traffic) => ({
      droplet: traffic.name,
      breaker: traffic.breakerState,
      inFlight: traffic.inFlight,
      waiting: traffic.waiting,
    }));
  }

  /** Droplets that the Registry lists no more would else be kept for ever, with their figures. */
  private forgetGone(): void {
    const now = this.clock.monotonic();
    if (now - this.lookedAt < LOOK_EVERY_MS) return;
    this.lookedAt = now;
    const gone = [...this.droplets].filter(([key, traffic]) => traffic.isIdle && !this.isListed(key));
    if (gone.length === 0) return;
    for (const [key] of gone) this.droplets.delete(key);
    void this.metrics.keepDroplets((name) => this.droplets.has(name.toLowerCase()) || this.isListed(name));
  }

  private begin(key: string, name: string): DropletTraffic {
    this.forgetGone();
    const { RETRY_BUDGET_PERCENT: percent, RETRY_BUDGET_MIN_PER_SECOND: minPerSecond } = this.settings;
    const traffic = new DropletTraffic(name, this.fallback, {
      bulkhead: this.bulkhead,
      budget: { percent, minPerSecond },
      clock: this.clock,
      isMemoryFull: () => this.memory.isFull,
      onRetryRefused: (droplet) => this.metrics.retryRefused(droplet),
      onWaited: (droplet, ms) => this.metrics.lineWaited(droplet, ms),
    });
    traffic.obey(this.orders.get(key) ?? NO_ORDERS);
    this.droplets.set(key, traffic);
    return traffic;
  }
}
