import { Global, Module, type DynamicModule, type Provider } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Log } from '../common/log.js';
import { Settings } from '../config/settings.js';
import { DropletStore } from '../registry/droplet.store.js';
import { Replicas } from '../tasks/replicas.js';
import { TaskQueue } from '../tasks/task.queue.js';
import { TaskStore } from '../tasks/task.store.js';
import { PostgresStorage } from './postgres/postgres.storage.js';
import { SqliteStorage } from './sqlite/sqlite.storage.js';

/** What a store gives to those who own its ports. */
interface Storage {
  readonly tasks: TaskStore;
  readonly queue: TaskQueue;
  readonly droplets: DropletStore;
  readonly replicas: Replicas;
}

const port = (provide: abstract new () => object, pick: (storage: Storage) => object): Provider => ({
  provide,
  inject: [STORAGE],
  useFactory: pick,
});

/** The storage itself, whichever it is. */
export const STORAGE = Symbol('storage');

/** The ports that tasks and registry own, each with the implementation that DATABASE_URL asks for. */
@Global()
@Module({})
export class StorageModule {
  static for({ DATABASE_URL }: Settings): DynamicModule {
    const store = /^postgres(ql)?:/i.test(DATABASE_URL) ? PostgresStorage : SqliteStorage;
    const storage: Provider = {
      provide: STORAGE,
      inject: [Settings, Clock, Log],
      useFactory: (settings: Settings, clock: Clock, log: Log): Storage | Promise<Storage> =>
        store.open({ settings, clock, log }),
    };
    return {
      module: StorageModule,
      providers: [
        storage,
        port(TaskStore, ({ tasks }) => tasks),
        port(TaskQueue, ({ queue }) => queue),
        port(DropletStore, ({ droplets }) => droplets),
        port(Replicas, ({ replicas }) => replicas),
      ],
      exports: [TaskStore, TaskQueue, DropletStore, Replicas],
    };
  }
}
