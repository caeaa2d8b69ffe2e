import type { StorageParts } from '../storage.parts.js';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { DatabaseSync } from 'node:sqlite';
import { NoReplicas } from '../../tasks/replicas.js';
import { openDatabase, type OpenDatabase } from './database.js';
import { GroupCommit } from './group.commit.js';
import { SqliteDropletStore } from './sqlite.droplet.store.js';
import { SqliteJobs } from './sqlite.jobs.js';
import { SqliteOrderStore } from './sqlite.order.store.js';
import { SqliteTaskQueue } from './sqlite.task.queue.js';
import { SqliteTaskStore } from './sqlite.task.store.js';

/** The process' one connection to its database, and what stores things through it. */
export class SqliteStorage implements OnApplicationShutdown {
  readonly tasks: SqliteTaskStore;
  readonly queue: SqliteTaskQueue;
  readonly droplets: SqliteDropletStore;
  readonly orders: SqliteOrderStore;
  readonly replicas = new NoReplicas();
  private readonly commits: GroupCommit;

  private constructor(
    private readonly opened: OpenDatabase,
    { settings, clock, log, onCommit }: StorageParts,
  ) {
    const { database } = opened;
    this.commits = new GroupCommit(database, clock, log, onCommit);
    this.queue = new SqliteTaskQueue(
      { jobs: new SqliteJobs(database), commits: this.commits, clock, log },
      settings.MAX_IN_FLIGHT,
    );
    this.tasks = new SqliteTaskStore(database, this.commits, this.queue, clock);
    this.droplets = new SqliteDropletStore(database, this.commits);
    this.orders = new SqliteOrderStore(database, this.commits);
  }

  /** @throws UnusableDatabaseError, DatabaseInUseError */
  static open(parts: StorageParts): SqliteStorage {
    return new SqliteStorage(openDatabase(parts.settings.DATABASE_URL), parts);
  }

  get database(): DatabaseSync {
    return this.opened.database;
  }

  /** Closed last, after every call has ended. */
  onApplicationShutdown(): void {
    this.commits.close();
    this.opened.close();
  }
}
