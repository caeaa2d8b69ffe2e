/** Counts events of the recent past in a fixed number of buckets; the oldest bucket falls out as time goes on. */
export class SlidingWindow {
  private readonly buckets: number[];
  private newest = 0;

  /** @param bucketMs the width of a bucket @param count how many are kept @param now a clock that never goes back, ms */
  constructor(
    private readonly bucketMs: number,
    count: number,
    private readonly now: () => number,
  ) {
    this.buckets = new Array<number>(count).fill(0);
  }

  add(): void {
    this.advance();
    const slot = this.newest % this.buckets.length;
    this.buckets[slot] = (this.buckets[slot] ?? 0) + 1;
  }

  total(): number {
    this.advance();
    return this.buckets.reduce((sum, count) => sum + count, 0);
  }

  private advance(): void {
    const current = Math.floor(this.now() / this.bucketMs);
    const passed = Math.min(current - this.newest, this.buckets.length);
    for (let i = 1; i <= passed; i++) this.buckets[(current - passed + i) % this.buckets.length] = 0;
    this.newest = current;
  }
}
