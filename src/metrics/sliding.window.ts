/** Counts events of the recent past in a fixed number of buckets; the oldest bucket falls out as time goes on. */
export class SlidingWindow {
  /** Made by the first event: each droplet has six windows, and half of them count what rarely happens. */
  private buckets: number[] = [];
  private newest = 0;
  private sum = 0;

  /** @param bucketMs the width of a bucket @param count how many are kept @param now a clock that never goes back, ms */
  constructor(
    private readonly bucketMs: number,
    private readonly count: number,
    private readonly now: () => number,
  ) {}

  add(): void {
    if (this.buckets.length === 0) this.buckets = new Array<number>(this.count).fill(0);
    this.advance();
    const slot = this.newest % this.count;
    this.buckets[slot] = (this.buckets[slot] ?? 0) + 1;
    this.sum++;
  }

  total(): number {
    this.advance();
    return this.sum;
  }

  private advance(): void {
    const current = Math.floor(this.now() / this.bucketMs);
    const passed = Math.min(current - this.newest, this.buckets.length);
    for (let i = 1; i <= passed; i++) this.empty((current - passed + i) % this.count);
    this.newest = current;
  }

  private empty(slot: number): void {
    this.sum -= this.buckets[slot] ?? 0;
    this.buckets[slot] = 0;
  }
}
