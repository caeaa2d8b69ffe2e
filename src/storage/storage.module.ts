import { Global, Module, type Provider } from '@nestjs/common';
import type { DatabaseSync } from 'node:sqlite';
import { DropletStore } from '../registry/droplet.store.js';
import { TaskStore } from '../tasks/task.store.js';
import type { GroupCommit } from './sqlite/group.commit.js';
import { SqliteConnection } from './sqlite/sqlite.connection.js';
import { SqliteDropletStore } from './sqlite/sqlite.droplet.store.js';
import { SqliteTaskStore } from './sqlite/sqlite.task.store.js';

/** The ports that tasks and registry own, each with its implementation. */
@Global()
@Module({
  providers: [SqliteConnection, onSqlite(TaskStore, SqliteTaskStore), onSqlite(DropletStore, SqliteDropletStore)],
  exports: [TaskStore, DropletStore],
})
export class StorageModule {}

function onSqlite<T>(port: abstract new () => T, Store: new (database: DatabaseSync, commits: GroupCommit) => T): Provider {
  return {
    provide: port,
    inject: [SqliteConnection],
    useFactory: ({ database, commits }: SqliteConnection) => new Store(database, commits),
  };
}
