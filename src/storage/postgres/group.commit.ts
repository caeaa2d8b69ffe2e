import type { Clock } from '../../common/clock.js';
import { StorageUnavailableError } from '../../common/errors.js';
import { isBadStatement, isPassing } from './postgres.errors.js';
import type { CommitListener } from '../storage.parts.js';
import type { StoreHealth } from './store.health.js';

/** Writes that one transaction takes at the most. */
const MAX_BATCH = 500;
/** Who waits for a write is told within 2 s that the store is away; contract §1. */
const COMMIT_WITHIN_MS = 1800;
const MAX_TRIES = 4;

/** Runs writes in one transaction, which is not committed any more once `over`; resolves to the result of each. */
export type Commit<W> = (writes: readonly W[], over: AbortSignal) => Promise<unknown[]>;

interface Waiting<W> {
  readonly write: W;
  readonly done: (result: unknown) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Puts the writes that gathered while the last transaction ran into the next one: under load one flush of the server's
 * log serves hundreds of them. A write's promise resolves after its commit.
 */
export class GroupCommit<W> {
  private waiting: Waiting<W>[] = [];
  private running: Promise<void> | null = null;

  /** @param doubt told of writes of which nobody knows whether they were committed */
  constructor(
    private readonly commit: Commit<W>,
    private readonly doubt: (writes: readonly W[]) => void,
    private readonly health: StoreHealth,
    private readonly clock: Clock,
    private readonly onCommit: CommitListener = () => undefined,
  ) {}

  /** @throws StorageUnavailableError, or what a bad statement throws */
  write(write: W): Promise<unknown> {
    if (!this.health.isWritable) return Promise.reject(new StorageUnavailableError());
    return new Promise((done, failed) => {
      this.waiting.push({ write, done, failed });
      this.running ??= this.run();
    });
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.running;
  }

  private async run(): Promise<void> {
    // What else this turn of the event loop brings belongs in the same transaction.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) await this.commitAll(this.waiting.splice(0, MAX_BATCH));
    this.running = null;
  }

  private async commitAll(batch: readonly Waiting<W>[]): Promise<void> {
    const error = await this.tryToCommit(batch);
    if (error === null) return;
    if (!isBadStatement(error)) return this.giveUp(batch, error);
    // One bad write must not fail its neighbours: each gets a transaction of its own.
    if (batch.length > 1) for (const one of batch) await this.commitAll([one]);
    else batch[0]?.failed(error);
  }

  /** Null when all are durable. */
  private async tryToCommit(batch: readonly Waiting<W>[], tries = 1): Promise<unknown> {
    try {
      const start = this.clock.monotonic();
      const results = await this.commitInTime(batch.map(({ write }) => write));
      this.onCommit(batch.length, this.clock.monotonic() - start);
      batch.forEach(({ done }, index) => done(results[index]));
      return null;
    } catch (error) {
      return isPassing(error) && tries < MAX_TRIES ? this.tryToCommit(batch, tries + 1) : error;
    }
  }

  /** What comes too late is taken back by itself, for its callers are told that it failed. */
  private async commitInTime(writes: readonly W[]): Promise<unknown[]> {
    const over = new AbortController();
    const late = this.clock.sleep(COMMIT_WITHIN_MS, over.signal).then(() => null);
    const results = await Promise.race([this.commit(writes, over.signal), late]).finally(() => over.abort());
    if (results !== null) return results;
    throw new StorageUnavailableError(new Error(`no commit within ${COMMIT_WITHIN_MS} ms`));
  }

  /** The store is away: those that wait for the next transaction are not kept waiting for that. */
  private giveUp(batch: readonly Waiting<W>[], error: unknown): void {
    this.doubt(batch.map(({ write }) => write));
    this.health.failed(error);
    for (const { failed } of [...batch, ...this.waiting.splice(0)]) failed(new StorageUnavailableError(error));
  }
}
