import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { DatabaseSync } from 'node:sqlite';
import { Clock } from '../../common/clock.js';
import { Log } from '../../common/log.js';
import { Settings } from '../../config/settings.js';
import { openDatabase, type OpenDatabase } from './database.js';
import { GroupCommit } from './group.commit.js';

/** The process' one connection to its database; closed last, after every call has ended. */
@Injectable()
export class SqliteConnection implements OnApplicationShutdown {
  private readonly open: OpenDatabase;
  readonly commits: GroupCommit;

  constructor({ DATABASE_URL }: Settings, clock: Clock, log: Log) {
    this.open = openDatabase(DATABASE_URL);
    this.commits = new GroupCommit(this.database, clock, log);
  }

  get database(): DatabaseSync {
    return this.open.database;
  }

  onApplicationShutdown(): void {
    this.commits.close();
    this.open.close();
  }
}
