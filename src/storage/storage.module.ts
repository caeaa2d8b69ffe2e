import { Global, Module, type Provider } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Log } from '../common/log.js';
import { Settings } from '../config/settings.js';
import { DropletStore } from '../registry/droplet.store.js';
import { TaskQueue } from '../tasks/task.queue.js';
import { TaskStore } from '../tasks/task.store.js';
import { SqliteConnection } from './sqlite/sqlite.connection.js';
import { SqliteDropletStore } from './sqlite/sqlite.droplet.store.js';
import { SqliteJobs } from './sqlite/sqlite.jobs.js';
import { SqliteTaskQueue } from './sqlite/sqlite.task.queue.js';
import { SqliteTaskStore } from './sqlite/sqlite.task.store.js';

const queue: Provider = {
  provide: TaskQueue,
  inject: [SqliteConnection, Clock, Log, Settings],
  useFactory: ({ database, commits }: SqliteConnection, clock: Clock, log: Log, settings: Settings) => {
    const limits = { perLane: settings.DROPLET_MAX_IN_FLIGHT, inAll: settings.MAX_IN_FLIGHT };
    return new SqliteTaskQueue({ jobs: new SqliteJobs(database), commits, clock, log }, limits);
  },
};

const tasks: Provider = {
  provide: TaskStore,
  inject: [SqliteConnection, TaskQueue, Clock],
  useFactory: ({ database, commits }: SqliteConnection, jobs: SqliteTaskQueue, clock: Clock) =>
    new SqliteTaskStore(database, commits, jobs, clock),
};

const droplets: Provider = {
  provide: DropletStore,
  inject: [SqliteConnection],
  useFactory: ({ database, commits }: SqliteConnection) => new SqliteDropletStore(database, commits),
};

/** The ports that tasks and registry own, each with its implementation. */
@Global()
@Module({ providers: [SqliteConnection, queue, tasks, droplets], exports: [TaskStore, TaskQueue, DropletStore] })
export class StorageModule {}
