// Loaded into the built server by `--import`: it kills itself while it writes a file. CUT_AT says where: `half`, `written` or `renamed`
// in a save of the droplet list, `half`, `whole` or `committed` in step CUT_STEP of a migration.
import { writeSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { DatabaseSync } from 'node:sqlite';

const { CUT_FILE, CUT_STEP, CUT_AT } = process.env;

function die() {
  writeSync(1, `died: ${CUT_AT}\n`);
  process.kill(process.pid, 'SIGKILL');
}

/** A handle whose next write of a whole file stops half-way, or whose next flush is the last thing that happens. */
function trapped(handle) {
  const { writeFile, sync } = handle;
  handle.writeFile = async (text) => {
    if (CUT_AT !== 'half') return writeFile.call(handle, text);
    await handle.write(text.slice(0, text.length / 2));
    die();
  };
  handle.sync = async () => {
    await sync.call(handle);
    if (CUT_AT === 'written') die();
  };
  return handle;
}

if (CUT_FILE) {
  const { open, rename } = fs;
  fs.open = async (file, ...rest) => {
    const handle = await open(file, ...rest);
    return String(file).includes(CUT_FILE) ? trapped(handle) : handle;
  };
  fs.rename = async (from, to) => {
    await rename(from, to);
    if (CUT_AT === 'renamed' && String(to).endsWith(CUT_FILE)) die();
  };
  syncBuiltinESMExports();
}

if (CUT_STEP) {
  const { exec } = DatabaseSync.prototype;
  DatabaseSync.prototype.exec = function (sql) {
    const [, step, version] = /^BEGIN IMMEDIATE;(.+); (PRAGMA user_version = \d+); COMMIT$/s.exec(sql) ?? [];
    if (version !== `PRAGMA user_version = ${CUT_STEP}`) return exec.call(this, sql);
    const statements = step.split(';');
    const part = CUT_AT === 'half' ? statements.slice(0, statements.length / 2) : [...statements, version];
    exec.call(this, `BEGIN IMMEDIATE; ${part.join(';')}`);
    if (CUT_AT === 'committed') exec.call(this, 'COMMIT');
    die();
  };
}
