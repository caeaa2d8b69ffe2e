import type { StorageParts } from '../storage.parts.js';
import { PgBoss } from 'pg-boss';
import type { OnApplicationShutdown } from '@nestjs/common';
import { type Clock } from '../../common/clock.js';
import { type Log } from '../../common/log.js';
import { ClusterBus } from './cluster.bus.js';
import { migrate, NewerSchemaError } from './migrations.js';
import { PostgresConnection } from './postgres.connection.js';
import { PostgresDropletStore } from './postgres.droplet.store.js';
import { isHopeless } from './postgres.errors.js';
import { JOBS_SCHEMA, PostgresJobs } from './postgres.jobs.js';
import { PostgresOrderStore } from './postgres.order.store.js';
import { PostgresReplicas } from './postgres.replicas.js';
import { PostgresTaskQueue } from './postgres.task.queue.js';
import { PostgresTaskStore } from './postgres.task.store.js';
import { Replica } from './replica.js';
import { SharedChanges } from './shared.changes.js';
import { StoreHealth } from './store.health.js';

/** A start waits this long for a server that is away. */
const START_WITHIN_MS = 60_000;
const TRY_EVERY_MS = 1000;

/** The server cannot be used; the message says why, without the password. */
class UnusableServerError extends Error {
  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
    super(`DATABASE_URL names a PostgreSQL that cannot be used: ${reason}`, { cause });
  }
}

/** Everything that one replica has of the shared store. */
export class PostgresStorage implements OnApplicationShutdown {
  private constructor(
    private readonly connection: PostgresConnection,
    private readonly boss: PgBoss,
    private readonly bus: ClusterBus,
    private readonly replica: Replica,
    private readonly health: StoreHealth,
    readonly tasks: PostgresTaskStore,
    readonly queue: PostgresTaskQueue,
    readonly droplets: PostgresDropletStore,
    readonly replicas: PostgresReplicas,
    readonly orders: PostgresOrderStore,
  ) {}

  /** Connects, brings the schema up to date and joins the others. @throws UnusableServerError */
  static async open({ settings, clock, log, onCommit }: StorageParts): Promise<PostgresStorage> {
    const { DATABASE_URL: url, DROPLET_MAX_IN_FLIGHT: perLane, MAX_IN_FLIGHT: inAll } = settings;
    const boss = startedBoss(url, log);
    await untilThere(
      async () => {
        await migrate(url);
        await boss.start();
      },
      clock,
      log,
    );
    const connection = new PostgresConnection(url, log);
    const bus = new ClusterBus(connection, clock, log);
    const jobs = new PostgresJobs(boss);
    const replica = new Replica(connection, jobs, clock);
    const health = new StoreHealth(() => replica.beat(), clock, log);
    const queue = new PostgresTaskQueue({ connection, jobs, bus, clock, log }, { perLane, inAll });
    const tasks = new PostgresTaskStore({ connection, queue, replica, health, clock, onCommit });
    const droplets = new PostgresDropletStore(connection, new SharedChanges('droplets', bus, clock));
    const replicas = new PostgresReplicas(bus, clock, (id) => tasks.get(id));
    const orders = new PostgresOrderStore(connection, new SharedChanges('orders', bus, clock));
    await replica.join();
    await bus.open(boss.getDb());
    health.start();
    return new PostgresStorage(connection, boss, bus, replica, health, tasks, queue, droplets, replicas, orders);
  }

  /** Closed last, after every call has ended; a store that is away does not hold it. */
  async onApplicationShutdown(): Promise<void> {
    this.queue.stop();
    await this.queue.idle();
    await this.tasks.idle();
    this.health.stop();
    this.replicas.stop();
    this.droplets.stop();
    this.orders.stop();
    await this.replica.leave().catch(() => undefined);
    await this.bus.close();
    await this.boss.stop({ graceful: false });
    await this.connection.close();
  }
}

/** pg-boss with connections of its own, on which nothing waits for the disk: what it does for itself can be done again. */
function startedBoss(connectionString: string, log: Log): PgBoss {
  const boss = new PgBoss({
    ...{ connectionString, schema: JOBS_SCHEMA, max: 3, connectionTimeoutMillis: 1500, application_name: 'orchestrator jobs' },
    // A replica that died is noticed after its 10 s of silence, within these.
    ...{ supervise: true, superviseIntervalSeconds: 2, monitorIntervalSeconds: 3, maintenanceIntervalSeconds: 300 },
    ...{ schedule: false, registerInstance: false, persistWarnings: false, openTelemetry: { enabled: false } },
    // A half-open connection is noticed within 5 s.
    ...{ notifyHeartbeatIntervalMs: 2000, notifyHeartbeatTimeoutMs: 2500, notifyKeepAliveInitialDelayMs: 2000 },
    options: '-c synchronous_commit=off -c statement_timeout=30000 -c idle_in_transaction_session_timeout=10000',
  });
  boss.on('error', (err) => log.debug({ err }, 'queue upkeep failed'));
  return boss;
}

/** Tries until the server is there; a wrong password is not waited for. */
async function untilThere(open: () => Promise<void>, clock: Clock, log: Log): Promise<void> {
  const end = clock.monotonic() + START_WITHIN_MS;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (isHopeless(error) || error instanceof NewerSchemaError || clock.monotonic() > end) throw new UnusableServerError(error);
      log.warn({ reason: (error as Error).message }, 'waiting for the store');
      await clock.sleep(TRY_EVERY_MS);
    }
  }
}
