import { PgBoss } from 'pg-boss';
import type { Clock } from '../../src/common/clock.js';
import { createLog } from '../../src/common/log.js';
import type { Job } from '../../src/tasks/task.queue.js';
import type { QueueLimits } from '../../src/storage/postgres/postgres.task.queue.js';
import { ClusterBus } from '../../src/storage/postgres/cluster.bus.js';
import { jobFrom, type JobPayload } from '../../src/storage/postgres/job.payload.js';
import { migrate, SCHEMA } from '../../src/storage/postgres/migrations.js';
import {
  PostgresConnection,
  type Durability,
  type Session,
  type Statement,
} from '../../src/storage/postgres/postgres.connection.js';
import { PostgresDropletStore } from '../../src/storage/postgres/postgres.droplet.store.js';
import { JOBS_SCHEMA, PostgresJobs } from '../../src/storage/postgres/postgres.jobs.js';
import { PostgresOrderStore } from '../../src/storage/postgres/postgres.order.store.js';
import { PostgresTaskQueue } from '../../src/storage/postgres/postgres.task.queue.js';
import { PostgresTaskStore } from '../../src/storage/postgres/postgres.task.store.js';
import { Replica } from '../../src/storage/postgres/replica.js';
import { SharedChanges } from '../../src/storage/postgres/shared.changes.js';
import { StoreHealth } from '../../src/storage/postgres/store.health.js';
import { ManualClock } from './manual.clock.js';
import { queryOnce } from './postgres.js';
import { sharedPostgres } from './shared.postgres.js';

const LIMITS: QueueLimits = { perLane: 64, inAll: 1024 };

/** pg-boss reads the time by this function: in the tests it is what a table says. */
const HELD_TIME = `
  CREATE TABLE ${JOBS_SCHEMA}.test_time AS SELECT now() AS now;
  CREATE OR REPLACE FUNCTION ${JOBS_SCHEMA}.job_now() RETURNS timestamptz LANGUAGE sql STABLE
    AS $$ SELECT now FROM ${JOBS_SCHEMA}.test_time $$;
  ALTER TABLE ${JOBS_SCHEMA}.job ALTER created_on SET DEFAULT ${JOBS_SCHEMA}.job_now()`;

const TABLES = ['tasks', 'task_meta', 'task_totals', 'idempotency_keys', 'droplets', 'droplet_orders', 'replicas'].map(
  (name) => `${SCHEMA}.${name}`,
);
/** Rows are few, and removing them is faster than making the tables anew. */
const EMPTY = [...TABLES, `${JOBS_SCHEMA}.job`].map((table) => `DELETE FROM ${table}`).join(';');

let made: Promise<string> | null = null;

/** The database of a test file with the whole schema and nothing in it; every call empties the same one. */
export async function emptyDatabase(): Promise<string> {
  made ??= makeDatabase();
  const url = await made;
  await queryOnce(url, EMPTY);
  return url;
}

async function makeDatabase(): Promise<string> {
  const url = await (await sharedPostgres()).createDatabase();
  await migrate(url);
  const boss = await startedBoss(url);
  await boss.stop({ graceful: false });
  await queryOnce(url, HELD_TIME);
  return url;
}

/** The jobs that a database holds, in no order. @param putAt when they were put, epoch ms */
export async function jobsIn(url: string, putAt = 0): Promise<Job[]> {
  const { rows } = await queryOnce(url, `SELECT data FROM ${JOBS_SCHEMA}.job`);
  return rows.map(({ data }) => jobFrom(data as JobPayload, putAt));
}

/** The stores of one replica, made of what the application makes them of; its time is the clock's in PostgreSQL, too. */
export async function openPostgres(url: string, clock: Clock = new ManualClock(), limits = LIMITS) {
  const log = createLog('silent');
  const boss = await startedBoss(url);
  const connection = new ClockedConnection(url, clock);
  const bus = new ClusterBus(connection, clock, log);
  const jobs = new PostgresJobs(boss);
  const replica = new Replica(connection, jobs, clock);
  const health = new StoreHealth(() => replica.beat(), clock, log);
  const queue = new PostgresTaskQueue({ connection, jobs, bus, clock, log }, limits);
  const tasks = new PostgresTaskStore({ connection, queue, replica, health, clock });
  const droplets = new PostgresDropletStore(connection, new SharedChanges('droplets', bus, clock));
  const orders = new PostgresOrderStore(connection, new SharedChanges('orders', bus, clock));
  await replica.join();
  await bus.open(boss.getDb());
  const close = async (): Promise<void> => {
    queue.stop();
    await queue.idle();
    await tasks.idle();
    health.stop();
    droplets.stop();
    orders.stop();
    await bus.close();
    await boss.stop({ graceful: false });
    await connection.close();
  };
  return { url, boss, bus, connection, droplets, health, jobs, orders, queue, replica, tasks, close };
}

/** What pg-boss does now and then by itself, a test asks for. */
async function startedBoss(connectionString: string): Promise<PgBoss> {
  const boss = new PgBoss({
    ...{ connectionString, schema: JOBS_SCHEMA, max: 3, supervise: false, schedule: false, registerInstance: false },
    ...{ persistWarnings: false, openTelemetry: { enabled: false } },
  });
  boss.on('error', () => undefined);
  return boss.start();
}

/** Tells the database the time before each statement that may ask for it. */
class ClockedConnection extends PostgresConnection {
  private told = { at: NaN, done: Promise.resolve() };

  constructor(
    url: string,
    private readonly time: Clock,
  ) {
    super(url, createLog('silent'));
  }

  override async query<R extends Record<string, unknown>>(statement: Statement, durability?: Durability): Promise<R[]> {
    await this.tellTime();
    return super.query<R>(statement, durability);
  }

  override async transaction<T>(work: (session: Session) => Promise<T>, durability?: Durability): Promise<T> {
    await this.tellTime();
    return super.transaction(work, durability);
  }

  private tellTime(): Promise<void> {
    const at = this.time.now();
    if (this.told.at !== at) this.told = { at, done: this.told.done.then(() => this.tell(at)) };
    return this.told.done;
  }

  private async tell(at: number): Promise<void> {
    const text = `UPDATE ${JOBS_SCHEMA}.test_time SET now = to_timestamp($1::float8 / 1000)`;
    await super.query({ text, values: [at] }, 'local');
  }
}
