import { Global, Module, type DynamicModule, type Provider } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Log } from '../common/log.js';
import { Settings } from '../config/settings.js';
import { Metrics } from '../metrics/metrics.js';
import { MetricsModule } from '../metrics/metrics.module.js';
import { DropletStore } from '../registry/droplet.store.js';
import { OrderStore } from '../registry/order.store.js';
import { Replicas } from '../tasks/replicas.js';
import { TaskQueue } from '../tasks/task.queue.js';
import { TaskStore } from '../tasks/task.store.js';

/** What a store gives to those who own its ports. */
interface Storage {
  readonly tasks: TaskStore;
  readonly queue: TaskQueue;
  readonly droplets: DropletStore;
  readonly replicas: Replicas;
  readonly orders: OrderStore;
}

const port = (provide: abstract new () => object, pick: (storage: Storage) => object): Provider => ({
  provide,
  inject: [STORAGE],
  useFactory: pick,
});

// Only the store that is asked for is loaded: the one for PostgreSQL takes 20 MiB, most of them pg-boss.
const postgres = async () => (await import('./postgres/postgres.storage.js')).PostgresStorage;
const sqlite = async () => (await import('./sqlite/sqlite.storage.js')).SqliteStorage;

/** The storage itself, whichever it is. */
export const STORAGE = Symbol('storage');

/** The ports that tasks and registry own, each with the implementation that DATABASE_URL asks for. */
@Global()
@Module({})
export class StorageModule {
  static for({ DATABASE_URL }: Settings): DynamicModule {
    const load = /^postgres(ql)?:/i.test(DATABASE_URL) ? postgres : sqlite;
    const storage: Provider = {
      provide: STORAGE,
      inject: [Settings, Clock, Log, Metrics],
      useFactory: async (settings: Settings, clock: Clock, log: Log, metrics: Metrics): Promise<Storage> =>
        (await load()).open({ settings, clock, log, onCommit: (writes, ms) => metrics.committed(writes, ms) }),
    };
    return {
      module: StorageModule,
      imports: [MetricsModule],
      providers: [
        storage,
        port(TaskStore, ({ tasks }) => tasks),
        port(TaskQueue, ({ queue }) => queue),
        port(DropletStore, ({ droplets }) => droplets),
        port(Replicas, ({ replicas }) => replicas),
        port(OrderStore, ({ orders }) => orders),
      ],
      exports: [TaskStore, TaskQueue, DropletStore, Replicas, OrderStore],
    };
  }
}
