import type { Clock } from '../../common/clock.js';
import { StorageUnavailableError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';

/** How often the store is tried: quietly while it works, more often while it does not. */
const LOOK_EVERY_MS = 2000;
const PROBE_EVERY_MS = 500;
/** A try that takes longer has failed: a connection that says nothing any more is noticed within 5 s. */
const PROBE_WITHIN_MS = 2000;
/** Looks in a row that must fail before callers should be sent elsewhere. */
const MISSES = 3;

/** Knows whether the store takes writes: told of those that fail, it finds out by itself when they work again. */
export class StoreHealth {
  private isWorking = true;
  private misses = 0;
  /** Since when it works without a break, as far as we saw; monotonic ms. */
  private since: number;
  private readonly stopped = new AbortController();

  /** @param probe one small write, which rejects when the store is away; what was left in doubt is cleared in it */
  constructor(
    private readonly probe: () => Promise<void>,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    this.since = clock.monotonic();
  }

  get isWritable(): boolean {
    return this.isWorking;
  }

  get isReady(): boolean {
    return this.misses < MISSES;
  }

  /** True when whoever shares the store could have written to it all this time. */
  hasWorkedFor(ms: number): boolean {
    return this.isWorking && this.clock.monotonic() - this.since >= ms;
  }

  start(): void {
    void this.look();
  }

  stop(): void {
    this.stopped.abort();
    this.isWorking = false;
  }

  /** A write has failed, and not by its own fault. */
  failed(err: unknown): void {
    if (!this.isWorking || this.stopped.signal.aborted) return;
    this.isWorking = false;
    this.log.error({ err }, 'store cannot be written');
  }

  private async look(): Promise<void> {
    const { signal } = this.stopped;
    while (await this.clock.sleep(this.isWorking ? LOOK_EVERY_MS : PROBE_EVERY_MS, signal)) {
      try {
        await this.probeInTime();
        this.worked();
      } catch (err) {
        this.misses++;
        this.failed(err);
      }
    }
  }

  private async probeInTime(): Promise<void> {
    const over = new AbortController();
    const late = this.clock.sleep(PROBE_WITHIN_MS, over.signal).then((isLate) => {
      if (isLate) throw new StorageUnavailableError(new Error(`no answer within ${PROBE_WITHIN_MS} ms`));
    });
    await Promise.race([this.probe(), late]).finally(() => over.abort());
  }

  private worked(): void {
    this.misses = 0;
    if (this.isWorking) return;
    this.isWorking = true;
    this.since = this.clock.monotonic();
    this.log.info({}, 'store can be written again');
  }
}
