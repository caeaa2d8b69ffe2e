/** How many of the last durations the figures rest on; the seed fixes it. */
export const KEPT_DURATIONS = 10_000;

/** The last durations of finished tasks, milliseconds: a ring, so that memory stays flat. */
export class Durations {
  private readonly ring: number[] = [];
  private next = 0;

  add(ms: number): void {
    this.ring[this.next] = ms;
    this.next = (this.next + 1) % KEPT_DURATIONS;
  }

  get count(): number {
    return this.ring.length;
  }

  /** The mean, 0 for none. */
  get average(): number {
    return this.ring.length === 0 ? 0 : this.ring.reduce((sum, ms) => sum + ms, 0) / this.ring.length;
  }

  /** The given percentiles: `sorted[min(floor(n·p/100), n-1)]`, 0 for none. */
  percentiles(...wanted: readonly number[]): number[] {
    const sorted = Float64Array.from(this.ring).sort();
    return wanted.map((p) => sorted[Math.min(Math.floor((sorted.length * p) / 100), sorted.length - 1)] ?? 0);
  }
}
