import { spawnSync } from 'node:child_process';
import { appendFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import type { CrashServer } from './crash.server.js';

/** A way in which a server can be without room for its data. */
export interface Shortage {
  readonly name: string;
  /** What stands before `node` on the command line. */
  under(home: string): string[];
  begin(server: CrashServer): void;
  end(server: CrashServer): void;
}

const BLOCK = Buffer.alloc(65_536);

/**
 * A file system of 4 MiB under the server's folder, in a mount namespace of the server's own: it is gone when that ends.
 * From outside it is seen through /proc.
 */
const smallFileSystem: Shortage = {
  name: 'a full file system',
  under: (home) => [
    ...['unshare', '--map-root-user', '--mount', 'sh', '-c'],
    `mount -t tmpfs -o size=4m none '${home}' && cd '${home}' && exec "$@"`,
    'sh',
  ],
  begin(server) {
    for (let size = BLOCK.length; size >= 1; size = size === 1 ? 0 : Math.floor(size / 16)) fill(filler(server), size);
  },
  end: (server) => rmSync(filler(server)),
};

/** No file may grow: what a quota does, and needs no rights. */
const fileLimit: Shortage = {
  name: 'a file that may not grow',
  under: () => [],
  begin(server) {
    const { size } = statSync(path.join(server.home, 'data/orchestrator.db-wal'));
    limit(server, String(size));
  },
  end: (server) => limit(server, 'unlimited'),
};

const canMount = spawnSync('unshare', ['--map-root-user', '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

/** Those that this machine can have: mounting takes rights that some containers do not give. */
export const SHORTAGES: readonly Shortage[] = canMount ? [smallFileSystem, fileLimit] : [fileLimit];

const filler = ({ process: { pid }, home }: CrashServer): string => `/proc/${pid}/root${home}/filler`;

/** Appends until nothing more goes in. */
function fill(file: string, size: number): void {
  try {
    for (;;) appendFileSync(file, BLOCK.subarray(0, size));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

function limit({ process: { pid } }: CrashServer, bytes: string): void {
  const { status, stderr } = spawnSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`prlimit: ${stderr}`);
}
