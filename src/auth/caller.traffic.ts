import { Injectable } from '@nestjs/common';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { RateLimitedError } from '../common/errors.js';
import type { CallerLimits, KnownCaller } from './authenticator.js';

interface Limiter {
  readonly ratePerSecond: number;
  readonly window: RateLimiterMemory;
}

/** Holds callers to their limits, each process for itself. */
@Injectable()
export class CallerTraffic {
  private readonly limiters = new Map<string, Limiter>();
  private readonly inFlight = new Map<string, number>();

  /** Lets one request in; the returned function says that it is over. @throws RateLimitedError */
  async enter({ identity: { name }, limits }: KnownCaller): Promise<() => void> {
    if (limits.ratePerSecond !== null) await this.count(name, limits.ratePerSecond);
    return this.take(name, limits);
  }

  private async count(name: string, ratePerSecond: number): Promise<void> {
    try {
      await this.limiter(name, ratePerSecond).consume(name);
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      const seconds = Math.max(1, Math.ceil(refused.msBeforeNext / 1000));
      throw new RateLimitedError('This caller sends more requests a second than it may', seconds);
    }
  }

  /** Windows of about a second, or of as long as it takes to one request: a whole number of requests in each. */
  private limiter(name: string, ratePerSecond: number): RateLimiterMemory {
    const known = this.limiters.get(name);
    if (known?.ratePerSecond === ratePerSecond) return known.window;
    const points = Math.ceil(ratePerSecond);
    const window = new RateLimiterMemory({ points, duration: points / ratePerSecond });
    this.limiters.set(name, { ratePerSecond, window });
    return window;
  }

  private take(name: string, { concurrency }: CallerLimits): () => void {
    if (concurrency === null) return () => undefined;
    const running = this.inFlight.get(name) ?? 0;
    if (running >= concurrency) throw new RateLimitedError('This caller has as many requests in flight as it may', 1);
    this.inFlight.set(name, running + 1);
    return () => this.giveBack(name);
  }

  private giveBack(name: string): void {
    const running = this.inFlight.get(name) ?? 0;
    if (running > 1) this.inFlight.set(name, running - 1);
    else this.inFlight.delete(name);
  }
}
