import { createHash } from 'node:crypto';
import type { JobAttempt, PgBoss } from 'pg-boss';
import type { Job } from '../../tasks/task.queue.js';
import { jobFrom, payloadOf, type JobPayload } from './job.payload.js';
import type { Session } from './postgres.connection.js';

/** pg-boss keeps its tables in a schema of its own. */
export const JOBS_SCHEMA = 'orchestrator_jobs';

/** A replica that says nothing for this long has lost its jobs: pg-boss' least. */
const HEARTBEAT_SECONDS = 10;
/** Ours end by their own deadlines, and are given up after a few interruptions: pg-boss must do neither before. */
const NEVER_BEFORE_US = { expireInSeconds: 4 * 3600, retryLimit: 1000, retentionSeconds: 400 * 86_400 };
/** The wait before a job whose handler failed is handed out again. */
const AFTER_FAILURE_SECONDS = 1;
/** Callbacks go to as many hosts as callers name, so their hosts share queues. */
const CALLBACK_QUEUES = 32;

/** Where a job stands. */
export interface Place {
  readonly queue: string;
  /** pg-boss' id of it. */
  readonly id: string;
}

/** A job that was claimed: `count` tells this claim from those before it. */
export interface ClaimedPlace extends Place {
  readonly count: number;
  readonly job: Job;
}

/**
 * The queue of a job: one for each droplet, so that what waits for a slow one is never in the way of another. A name
 * of its own that pg-boss takes, whatever the droplet is called.
 */
export function queueOf({ kind, lane }: Job): string {
  const digest = createHash('sha256').update(lane).digest();
  if (kind === 'callback') return `callback.${digest.readUInt32BE() % CALLBACK_QUEUES}`;
  const readable = lane.replace(/^droplet /, '').replace(/[^a-z0-9-]+/g, '-');
  return `droplet.${readable.slice(0, 40)}.${digest.toString('hex', 0, 6)}`;
}

/** What a claim is limited by. */
interface ClaimOptions {
  readonly limit: number;
  /** Jobs of the queue that may run in the whole cluster. */
  readonly perLane: number;
  /** Steady epoch milliseconds. */
  readonly now: number;
}

/** Our jobs as pg-boss keeps them: a queue for each droplet, limited over all replicas by pg-boss' groups. */
export class PostgresJobs {
  private readonly known = new Map<string, Promise<void>>();

  constructor(private readonly boss: PgBoss) {}

  /** Makes the queues of jobs that are about to be put. */
  async prepare(jobs: readonly Job[]): Promise<void> {
    await Promise.all([...new Set(jobs.map(queueOf))].map((queue) => this.ensure(queue)));
  }

  /**
   * Puts jobs into the transaction of `session`; their places were made by `queueOf` and a new id.
   * @param now steady epoch milliseconds
   */
  async put(jobs: readonly (Place & { readonly job: Job })[], now: number, session: Session): Promise<void> {
    const put = [...grouped(jobs)].map(async ([queue, group]) => {
      const inserts = group.map(({ id, job }) => ({
        ...{ id, priority: job.priority, group: { id: queue }, data: payloadOf(job, now) },
        ...(job.dueAt > now ? { startAfter: (job.dueAt - now) / 1000 } : {}),
      }));
      await this.boss.insert(queue, inserts, { db: databaseOf(session) });
    });
    await Promise.all(put);
  }

  /** Removes jobs in the transaction of `session`, whoever holds them. */
  async remove(places: readonly Place[], session: Session): Promise<void> {
    const removed = [...grouped(places)].map(([queue, group]) => {
      const ids = group.map(({ id }) => id);
      return this.boss.deleteJob(queue, ids, { db: databaseOf(session) });
    });
    await Promise.all(removed);
  }

  /**
   * Claims due jobs of a queue, the most urgent first and of those the oldest. Replicas take turns in the transaction of
   * `session`: pg-boss counts what runs in a group, but two that count at once would both find room.
   */
  async claim(queue: string, { limit, perLane, now }: ClaimOptions, session: Session): Promise<ClaimedPlace[]> {
    await this.ensure(queue);
    const turn = { name: 'take turn', text: 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', values: [queue] };
    const [, busy] = await Promise.all([session.query(turn), running(queue, session)]);
    const room = perLane - busy;
    // pg-boss would read all that waits to find that none may run.
    if (room <= 0) return [];
    const options = {
      batchSize: Math.min(limit, room),
      groupConcurrency: perLane,
      includeMetadata: true,
      db: databaseOf(session),
    } as const;
    const fetched = await this.boss.fetch<JobPayload>(queue, options);
    return fetched
      .map(({ id, retryCount, data, createdOn, startedOn }) => {
        const putAt = now - (startedOn.getTime() - createdOn.getTime());
        const job = jobFrom(data, putAt);
        return { queue, id, count: retryCount, job: { ...job, interruptions: job.interruptions + retryCount } };
      })
      .sort((a, b) => b.job.priority - a.job.priority || (a.id < b.id ? -1 : 1));
  }

  /** Gives back a job whose handler failed: it counts as an interruption. */
  async fail({ queue, id, count }: Place & { readonly count: number }): Promise<void> {
    await this.boss.fail(queue, { id, retryCount: count });
  }

  /** Removes jobs that nobody wants, if they are still held under these claims. */
  async discard(places: readonly (Place & { readonly count: number })[]): Promise<void> {
    for (const [queue, group] of grouped(places)) await this.boss.deleteJob(queue, attempts(group));
  }

  /** Says that claimed jobs are still being worked on. */
  async touch(places: readonly (Place & { readonly count: number })[]): Promise<void> {
    for (const [queue, group] of grouped(places)) await this.boss.touch(queue, attempts(group));
  }

  private ensure(queue: string): Promise<void> {
    const times = { heartbeatSeconds: HEARTBEAT_SECONDS, retryDelay: AFTER_FAILURE_SECONDS, deleteAfterSeconds: 3600 };
    let ensured = this.known.get(queue);
    if (!ensured) {
      ensured = this.boss.createQueue(queue, { ...times, ...NEVER_BEFORE_US });
      this.known.set(queue, ensured);
      ensured.catch(() => this.known.delete(queue));
    }
    return ensured;
  }
}

function grouped<P extends Place>(places: readonly P[]): Map<string, P[]> {
  const groups = new Map<string, P[]>();
  for (const place of places) groups.set(place.queue, [...(groups.get(place.queue) ?? []), place]);
  return groups;
}

/** Claims as pg-boss names them. */
const attempts = (places: readonly (Place & { readonly count: number })[]): JobAttempt[] =>
  places.map(({ id, count }) => ({ id, retryCount: count }));

/** How many jobs of a queue run in the whole cluster. */
async function running(queue: string, session: Session): Promise<number> {
  const text = `SELECT count(*) AS running FROM ${JOBS_SCHEMA}.job WHERE name = $1 AND group_id = $1 AND state = 'active'`;
  const [row] = await session.query<{ running: number }>({ name: 'running jobs', text, values: [queue] });
  return row?.running ?? 0;
}

/** What pg-boss runs its statements by, inside of our transaction. */
const databaseOf = (session: Session) => ({
  executeSql: async (text: string, values: unknown[] = []) => ({ rows: await session.query({ text, values }) }),
});
