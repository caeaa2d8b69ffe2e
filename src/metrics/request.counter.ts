import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { SlidingWindow } from './sliding.window.js';

/** The request figures of `GET /state`. An error is an answer with a status of 400 or more. */
@Injectable()
export class RequestCounter {
  private count = 0;
  private readonly lastMinute: SlidingWindow;
  private readonly errorsOfLastHour: SlidingWindow;

  constructor(clock: Clock) {
    const now = (): number => clock.monotonic();
    this.lastMinute = new SlidingWindow(1000, 60, now);
    this.errorsOfLastHour = new SlidingWindow(60_000, 60, now);
  }

  answered(status: number): void {
    this.count++;
    this.lastMinute.add();
    if (status >= 400) this.errorsOfLastHour.add();
  }

  get total(): number {
    return this.count;
  }

  get perMinute(): number {
    return this.lastMinute.total();
  }

  get errorsLastHour(): number {
    return this.errorsOfLastHour.total();
  }
}
