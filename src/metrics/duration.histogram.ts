/** Buckets for each doubling: a bucket is 9 % wide. */
const PER_OCTAVE = 8;
/** From 1 ms past the longest deadline of a task, a week: 2^30 ms. */
const BUCKETS = 30 * PER_OCTAVE + 1;

/** Counts durations by their logarithm: adding one allocates nothing, and percentiles are right to a few percent. */
export class DurationHistogram {
  private readonly counts = new Uint32Array(BUCKETS);
  private total = 0;

  add(ms: number): void {
    const bucket = ms <= 1 ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log2(ms) * PER_OCTAVE));
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.total++;
  }

  /** Milliseconds that so many percent did not pass; null for none. */
  percentile(percent: number): number | null {
    let rest = Math.ceil((this.total * percent) / 100);
    for (const [bucket, count] of this.counts.entries()) {
      if (count > 0 && rest <= count) return upTo(bucket - 1 + rest / count);
      rest -= count;
    }
    return null;
  }

  clear(): void {
    this.counts.fill(0);
    this.total = 0;
  }
}

const upTo = (place: number): number => 2 ** (place / PER_OCTAVE);
