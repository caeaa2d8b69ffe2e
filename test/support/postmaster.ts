import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { until } from './http.client.js';
import type { Owner } from './postgres.template.js';

const END_MS = 20_000;

/**
 * Becomes the server, and leaves behind a watcher that ends it when our end of descriptor 3 closes without a word: a test
 * process that was killed leaves no server behind.
 */
const WATCHED = '(read -r _ <&3 || kill -QUIT $$) & exec "$0" "$@"';

interface PostmasterOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly log: string;
  readonly owner: Owner;
}

/** The main process of a PostgreSQL server, in one of its lives. */
export class Postmaster {
  /** True when the process and everything that it forked are gone: they all hold descriptor 3. */
  hasEnded = false;
  private readonly child: ChildProcess;

  constructor({ program, args, cwd, log, owner }: PostmasterOptions) {
    const file = openSync(log, 'a');
    const { PATH = '' } = process.env;
    this.child = spawn('sh', ['-c', WATCHED, program, ...args], {
      ...{ cwd, ...owner, env: { PATH }, stdio: ['ignore', file, file, 'pipe'] },
    });
    closeSync(file);
    const link = this.child.stdio[3] as Duplex;
    link.on('error', () => undefined).resume();
    this.child.once('exit', () => link.end('\n'));
    this.child.once('close', () => (this.hasEnded = true));
  }

  static async start(options: PostmasterOptions): Promise<Postmaster> {
    const self = new Postmaster(options);
    await once(self.child, 'spawn');
    return self;
  }

  get pid(): number {
    return this.child.pid!;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Waits until nothing of it is left. */
  async end(): Promise<void> {
    await until(() => this.hasEnded, END_MS);
  }
}
