import { v7 } from 'uuid';
import type { Clock } from '../../common/clock.js';
import { isFinal, MOVES, TASK_STATUSES, type TaskRecord } from '../../tasks/task.js';
import type { Job } from '../../tasks/task.queue.js';
import type { Acceptance, Accepted, CallbackSettlement, Settlement } from '../../tasks/task.store.js';
import { repeatOf, type KeyHolder } from '../key.holder.js';
import { addShare, NO_SUMS } from '../task.totals.js';
import type { Session } from './postgres.connection.js';
import { queueOf, type Place, type PostgresJobs } from './postgres.jobs.js';
import { keyName, reserveKeys } from './postgres.keys.js';
import { bytesOf, lockTasks, SEEN, UNSEEN, writeStatement, type StoredTask, type TotalsChange } from './postgres.tasks.js';

/** One write of the store, as it waits for its transaction. */
export type TaskWrite =
  | { readonly kind: 'insert'; readonly task: TaskRecord; readonly next: Job | null }
  | { readonly kind: 'accept'; readonly acceptances: readonly Acceptance[] }
  | { readonly kind: 'settle'; readonly id: string; readonly settlement: Settlement }
  | { readonly kind: 'callback'; readonly id: string; readonly settlement: CallbackSettlement };

/** What a batch is run with. */
export interface BatchContext {
  readonly jobs: PostgresJobs;
  /** The replica that runs it. */
  readonly replica: string;
  /** Whose totals it adds to. */
  readonly slot: number;
  readonly clock: Clock;
}

/** What came of a settlement. */
export interface Settled {
  /** The task as it is then; null when the move was not legal, or the claim was lost. */
  readonly task: TaskRecord | null;
  readonly hadJob: boolean;
}

/** The claim that a lease names. */
const leaseOf = ({ place, claim }: StoredTask): string => `${place?.id ?? ''}:${claim}`;

const NOT_SETTLED: Settled = { task: null, hadJob: false };

/** Names a claim to whoever holds it. */
export const leaseFor = (id: string, count: number): string => `${id}:${count}`;

/** The jobs that writes may put. */
export const jobsOf = (writes: readonly TaskWrite[]): Job[] =>
  writes
    .flatMap((write) => {
      if (write.kind === 'accept') return write.acceptances.map(({ job }) => job);
      return [write.kind === 'insert' ? write.next : write.settlement.next];
    })
    .filter((job) => job !== null);

/**
 * Many writes as one transaction: what they need is read and locked first, then each is thought through in memory in its
 * turn, and what came of them all is written at once.
 */
export class TaskBatch {
  /** Tasks as they were before this transaction, by id. */
  private readonly before = new Map<string, StoredTask>();
  private readonly after = new Map<string, StoredTask>();
  private holders = new Map<string, KeyHolder>();
  private readonly removed: Place[] = [];
  private readonly added: (Place & { readonly job: Job })[] = [];

  constructor(
    private readonly writes: readonly TaskWrite[],
    private readonly context: BatchContext,
  ) {}

  /** True when nothing must be read first and no job is put: then one statement is enough, and needs no transaction. */
  get isPlain(): boolean {
    return this.writes.every((write) => write.kind === 'insert' && write.next === null);
  }

  /** Resolves to the result of each write. */
  async run(session: Session): Promise<unknown[]> {
    await this.read(session);
    const results = this.writes.map((write) => this.apply(write));
    const { jobs, clock } = this.context;
    await Promise.all([jobs.remove(this.removed, session), jobs.put(this.added, clock.steady(), session), this.write(session)]);
    return results;
  }

  private async read(session: Session): Promise<void> {
    const requests = this.writes.flatMap((write) =>
      write.kind === 'accept' ? write.acceptances.flatMap(({ key, task }) => (key ? [{ key, taskId: task.id }] : [])) : [],
    );
    // Of several that ask for one key in this very transaction, the first has it.
    const first = new Map(requests.toReversed().map((request) => [keyName(request.key), request]));
    this.holders = await reserveKeys([...first.values()], this.context.clock.now(), session);
    const ids = this.writes.flatMap((write) => (write.kind === 'settle' || write.kind === 'callback' ? [write.id] : []));
    if (ids.length > 0) for (const stored of await lockTasks([...new Set(ids)], session)) this.before.set(stored.task.id, stored);
  }

  private apply(write: TaskWrite): unknown {
    switch (write.kind) {
      case 'insert':
        return this.insert(write.task, write.next, null);
      case 'accept':
        return write.acceptances.map((each) => this.accept(each));
      case 'settle':
        return this.settle(write.id, write.settlement);
      case 'callback':
        return this.settleCallback(write.id, write.settlement);
    }
  }

  private insert(task: TaskRecord, job: Job | null, owner: string | null): void {
    this.after.set(task.id, { task, place: this.add(job), claim: UNSEEN, owner });
  }

  private accept({ task, job, key }: Acceptance): Accepted {
    const holder = key && this.holders.get(keyName(key));
    if (holder) return repeatOf(holder, key);
    this.insert(task, job, job ? null : this.context.replica);
    if (key) this.holders.set(keyName(key), { task, fingerprint: key.fingerprint });
    return { kind: 'accepted' };
  }

  private settle(id: string, { change, next, from = TASK_STATUSES, lease = null }: Settlement): Settled {
    const stored = this.current(id);
    if (!stored || (lease !== null && lease !== leaseOf(stored))) return NOT_SETTLED;
    const { task } = stored;
    if (!from.includes(task.status) || !MOVES[task.status].includes(change.status)) return NOT_SETTLED;
    const after = { ...task, ...change, id, createdAt: task.createdAt };
    this.replace(stored, after, next);
    return { task: after, hadJob: stored.place !== null };
  }

  private settleCallback(id: string, { callback, next, lease }: CallbackSettlement): Settled {
    const stored = this.current(id);
    if (!stored || (lease !== null && lease !== leaseOf(stored))) return NOT_SETTLED;
    // A retry has taken the task back since: what its callback came to is of no interest any more.
    if (!isFinal(stored.task.status)) return NOT_SETTLED;
    const after = { ...stored.task, callback };
    this.replace(stored, after, next);
    return { task: after, hadJob: stored.place !== null };
  }

  private replace(stored: StoredTask, task: TaskRecord, next: Job | null): void {
    if (stored.place) this.removed.push(stored.place);
    this.after.set(task.id, { task, place: this.add(next), claim: next ? SEEN : stored.claim, owner: stored.owner });
  }

  private add(job: Job | null): Place | null {
    if (!job) return null;
    const place = { queue: queueOf(job), id: v7() };
    this.added.push({ ...place, job });
    return place;
  }

  private current(id: string): StoredTask | undefined {
    return this.after.get(id) ?? this.before.get(id);
  }

  private async write(session: Session): Promise<void> {
    const all = [...this.after.values()];
    if (all.length === 0) return;
    const inserted = all.filter(({ task }) => !this.before.has(task.id));
    const updated = all.filter(({ task }) => this.before.has(task.id));
    await session.query(writeStatement({ inserted, updated, totals: this.totals() }, this.context.slot));
  }

  private totals(): TotalsChange {
    const sum = { ...NO_SUMS, tasks: 0, bytes: 0, jobs: 0 };
    const count = (stored: StoredTask | undefined, sign: 1 | -1): void => {
      if (!stored) return;
      addShare(sum, stored.task, sign);
      sum.tasks += sign;
      sum.bytes += sign * bytesOf(stored.task);
      if (stored.place) sum.jobs += sign;
    };
    for (const [id, stored] of this.after) {
      count(this.before.get(id), -1);
      count(stored, 1);
    }
    return sum;
  }
}
