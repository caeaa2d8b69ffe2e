/** How many may be in flight and in line, asked anew each time: policies change. */
export interface LaneLimits {
  readonly maxInFlight: number;
  /** Of those that are not patient. */
  readonly maxWaiting: number;
  /** Calls a second; null for as many as there are. */
  readonly ratePerSecond: number | null;
}

/** Who stands in the line. */
export interface Waiter {
  readonly enter: () => void;
  readonly isPatient: boolean;
}

/** When a line is looked at again, monotonic ms, and how to take that back. */
interface Look {
  readonly at: number;
  readonly cancel: () => void;
}

/** The calls to one droplet. */
export class Lane {
  inFlight = 0;
  readonly line: Waiter[] = [];
  /** How many of the line are not patient. */
  impatient = 0;
  /** When the rate lets the next one through, monotonic ms. */
  nextAt = -Infinity;
  nextLook: Look | null = null;

  /** @param onWaited told of each wait in its line, ms */
  constructor(
    readonly limits: () => LaneLimits,
    readonly onWaited: (ms: number) => void = () => undefined,
  ) {}

  join(waiter: Waiter): void {
    this.line.push(waiter);
    if (!waiter.isPatient) this.impatient++;
  }

  /** Lets the first one out: `splice` moves all the others, which takes four times as long with 200 of them. */
  next(): Waiter | undefined {
    const first = this.line.shift();
    if (first?.isPatient === false) this.impatient--;
    return first;
  }

  quit(waiter: Waiter): void {
    this.line.splice(this.line.indexOf(waiter), 1);
    if (!waiter.isPatient) this.impatient--;
  }
}
