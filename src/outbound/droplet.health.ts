import type { BreakerState } from './circuit.breaker.js';

/** How a droplet does, as `GET /droplets` shows it; contract §5. */
export interface DropletHealth {
  readonly state: 'up' | 'degraded' | 'down' | 'unknown';
  readonly breaker: BreakerState | 'paused';
  readonly in_flight: number;
  /** Of the last minute; null without calls. */
  readonly success_rate_percent: number | null;
  readonly p95_ms: number | null;
}
