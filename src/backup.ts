import path from 'node:path';
import { createLog } from './common/log.js';
import { readEnvironment } from './config/environment.js';
import { parseSettings } from './config/settings.js';
import { backupDatabase, BackupError } from './storage/sqlite/database.backup.js';

/** Copies the database that DATABASE_URL names to the file that the command line names; a server may be at work on it. */
async function main(target: string | undefined): Promise<void> {
  if (!target) throw new BackupError('Say where the copy goes: npm run backup -- FILE');
  const { DATABASE_URL } = parseSettings(readEnvironment());
  refuseNoFile(DATABASE_URL);
  const file = path.resolve(target);
  await backupDatabase(DATABASE_URL, file);
  createLog('info').info({ file }, 'backup written');
}

function refuseNoFile(url: string): void {
  if (/^postgres(ql)?:/i.test(url)) {
    throw new BackupError('DATABASE_URL is a PostgreSQL, which has a tool of its own: use pg_dump --format=custom --file=FILE');
  }
  if (url === ':memory:') throw new BackupError('DATABASE_URL is :memory:, which nobody else can read: give it a file');
}

main(process.argv[2]).catch((error: unknown) => {
  createLog('fatal').fatal({}, error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
