import { Injectable } from '@nestjs/common';
import { cpuUsage, memoryUsage } from 'node:process';
import { Clock } from '../common/clock.js';
import { twoDecimals } from '../common/time.js';

/** The shortest span over which the CPU share is measured; asked again sooner, the last figure stands. */
const MIN_SPAN_MS = 1000;
const MIB = 1024 * 1024;

/** CPU, memory and age of the process. */
@Injectable()
export class ProcessFigures {
  private readonly startedAt: number;
  private last = { at: 0, usedMs: 0 };
  private percent = 0;

  constructor(private readonly clock: Clock) {
    this.startedAt = clock.now() - clock.monotonic();
  }

  /** The share of one core since the last look, at least a second ago. */
  get cpuPercent(): number {
    const at = this.clock.monotonic();
    const span = at - this.last.at;
    if (span < MIN_SPAN_MS) return this.percent;
    const { user, system } = cpuUsage();
    const usedMs = (user + system) / 1000;
    this.percent = twoDecimals(((usedMs - this.last.usedMs) / span) * 100);
    this.last = { at, usedMs };
    return this.percent;
  }

  /** Resident memory. */
  get memoryMb(): number {
    return twoDecimals(memoryUsage.rss() / MIB);
  }

  get uptimeSeconds(): number {
    return twoDecimals(this.clock.monotonic() / 1000);
  }

  /** Epoch milliseconds. */
  get lastRestart(): number {
    return this.startedAt;
  }
}
