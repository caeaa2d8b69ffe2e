import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../common/clock.js';
import { currentSpan } from '../../common/current.span.js';
import { StorageUnavailableError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { CommitListener } from '../storage.parts.js';
import { Turns } from './turns.js';

/** How often a failing store is tried again. */
const PROBE_EVERY_MS = 500;
/** A probe takes more room than a task with the largest answer that is kept: a disk that is all but full must not pass. */
const PROBE_BYTES = 65_536;

interface Write {
  readonly run: () => void;
  /** Called right after the commit. */
  readonly committed: () => void;
  /** Called in the writer's turn. */
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/** What the writes of a commit come to together. */
export interface CommitPart {
  /** Writes it: all statements of the commit have run. */
  finish(): void;
  /** Forgets it: the commit was taken back. */
  undo(): void;
}

/** Under load a turn is short: 32 callers are in one batch of 32 instead of three of 12, and 256 get a quarter more done. */
const MOST_TURNS = 8;

/**
 * Puts the writes of some turns of the event loop into one transaction: one fsync serves them all, 14 µs of CPU a task
 * in batches of 32 against 87 µs one by one (design, decision 4). A write alone in its turn does not wait. A write's promise
 * resolves after the commit.
 */
export class GroupCommit {
  private waiting: Write[] = [];
  private readonly parts: CommitPart[] = [];
  private readonly turns = new Turns();
  private isWorking = true;
  private isClosed = false;

  constructor(
    private readonly database: DatabaseSync,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly onCommit: CommitListener = () => undefined,
  ) {}

  /** False from when the store was found failing until it was found working again. */
  get isWritable(): boolean {
    return this.isWorking && !this.isClosed;
  }

  /** Lets a part end each commit. */
  endWith(part: CommitPart): void {
    this.parts.push(part);
  }

  /**
   * Runs `statements` in the next commit; resolves with their result once that is durable.
   * @param committed is told of the result with the commit, before any writer: for counts of what is stored
   * @throws StorageUnavailableError, or what a bad statement throws
   */
  write<T>(statements: () => T, committed: (result: T) => void = () => undefined): Promise<T> {
    if (this.isClosed) return Promise.reject(new StorageUnavailableError());
    return new Promise<T>((resolve, reject) => {
      let result: T;
      this.waiting.push({
        run: () => void (result = statements()),
        committed: () => committed(result),
        done: () => resolve(result),
        failed: reject,
      });
      // A commit is many tasks' and none's own, and so is what is logged of it.
      if (this.waiting.length === 1) currentSpan.exit(() => this.gather(1, MOST_TURNS));
    });
  }

  /**
   * Resolves with what was read just now, once all whose writes it shows know of them: what a reader sees running, say, is
   * known to run by whoever runs it.
   */
  inTurn<T>(read: T): Promise<T> {
    return new Promise((resolve) => this.turns.after(() => resolve(read)));
  }

  /** Commits what still waits; later writes are refused. */
  close(): void {
    this.flush();
    this.turns.finish();
    this.isClosed = true;
  }

  /** Flushes when a turn of the event loop has brought no further write, or after so many turns. */
  private gather(known: number, turns: number): void {
    setImmediate(() => {
      const { length } = this.waiting;
      if (length > known && turns > 1) this.gather(length, turns - 1);
      else this.flush();
    });
  }

  private flush(): void {
    const writes = this.waiting;
    this.waiting = [];
    if (writes.length === 0 || this.commit(writes)) return;
    // One bad write must not fail its neighbours: each gets a transaction of its own.
    if (writes.length > 1) for (const write of writes) this.commit([write]);
  }

  /** True if all are durable. The promises of a single failed write are rejected here. */
  private commit(writes: readonly Write[]): boolean {
    const start = this.clock.monotonic();
    try {
      this.transaction(() => writes.forEach(({ run }) => run()));
    } catch (error) {
      if (writes.length === 1) this.refuse(writes, error);
      return false;
    }
    this.onCommit(writes.length, this.clock.monotonic() - start);
    for (const { committed } of writes) committed();
    this.turns.tell(writes.map(({ done }) => done));
    return true;
  }

  private transaction(statements: () => void): void {
    this.database.exec('BEGIN IMMEDIATE');
    try {
      statements();
      for (const part of this.parts) part.finish();
      this.database.exec('COMMIT');
    } catch (error) {
      for (const part of this.parts) part.undo();
      if (this.database.isTransaction) this.database.exec('ROLLBACK');
      throw error;
    }
  }

  /** A write that fails is bad itself, or the first sign that the store fails: a write of our own tells which. */
  private refuse(writes: readonly Write[], error: unknown): void {
    const isBadItself = this.isWritable && this.probe();
    for (const { failed } of writes) failed(isBadItself ? error : new StorageUnavailableError(error));
    if (!this.isWritable || isBadItself) return;
    this.isWorking = false;
    this.log.error({ err: error }, 'store cannot be written');
    this.clock.after(PROBE_EVERY_MS, () => this.lookAgain());
  }

  private lookAgain(): void {
    if (this.isClosed) return;
    if (!this.probe()) return void this.clock.after(PROBE_EVERY_MS, () => this.lookAgain());
    this.isWorking = true;
    this.log.info({}, 'store can be written again');
  }

  /** True if the store takes a write; what it wrote is given back. */
  private probe(): boolean {
    const values = (bytes: number): string => `(1, ${this.clock.now()}, zeroblob(${bytes}))`;
    try {
      for (const bytes of [PROBE_BYTES, 0]) {
        this.transaction(() => this.database.exec(`REPLACE INTO write_probe (one, at, filler) VALUES ${values(bytes)}`));
      }
      return true;
    } catch {
      return false;
    }
  }
}
