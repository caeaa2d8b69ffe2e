import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { HttpClient, until } from './http.client.js';
import { freePort } from './server.js';

/** The checkout that is under test. */
export const ROOT = path.resolve(import.meta.dirname, '../..');
/** The Node that the project brings along; machines have older ones. */
export const NODE = path.join(ROOT, 'node_modules/.bin/node');

const START_MS = 20_000;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

interface SpawnOptions {
  readonly cwd: string;
  readonly environment?: Record<string, string>;
  /** The user and group id to run as. */
  readonly user?: number;
}

/** A new empty folder; whoever made it removes it. */
export const tempFolder = (): string => mkdtempSync(path.join(tmpdir(), 'orchestrator-'));

/** A process in a group of its own, so that nothing it started outlives `kill`. It gets PATH and what it is given, no more. */
export class TestProcess {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Exit>;
  private readonly child: ChildProcess;
  private exit: Exit | null = null;

  constructor(command: string, args: readonly string[], { cwd, environment = {}, user }: SpawnOptions) {
    const { PATH = '', HOME = cwd } = process.env;
    this.child = spawn(command, args, {
      ...{ cwd, detached: true, env: { PATH, HOME, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] },
      ...(user === undefined ? {} : { uid: user, gid: user }),
    });
    this.child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => (this.stderr += String(error)));
      this.child.once('close', (code, signal) => resolve((this.exit = { code, signal })));
    });
  }

  /** @throws when it could not be started */
  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`not started: ${this.stderr}`);
    return this.child.pid;
  }

  get hasEnded(): boolean {
    return this.exit !== null;
  }

  /** What it printed, without the empty lines. */
  get lines(): string[] {
    return `${this.stdout}\n${this.stderr}`.split('\n').filter((line) => line.trim() !== '');
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Waits for the end; throws with what it printed when it does not come. */
  async end(ms = START_MS): Promise<Exit> {
    try {
      return await until(() => this.exit, ms);
    } catch {
      throw new Error(`still running after ${ms} ms:\n${this.lines.join('\n')}`);
    }
  }

  /** Sends a signal to the whole group, as a terminal does for Ctrl-C. */
  signalGroup(name: NodeJS.Signals): void {
    process.kill(-this.pid, name);
  }

  /** Ends the whole group at once. */
  async kill(): Promise<void> {
    try {
      this.signalGroup('SIGKILL');
    } catch {
      // Nothing of it is left, or it never was.
      return;
    }
    await this.ended;
  }
}

/** The built server as a process of its own, in a folder of its own with the default files. */
export class OrchestratorProcess extends HttpClient {
  readonly process: TestProcess;

  private constructor(
    readonly home: string,
    readonly port: number,
    environment: Record<string, string>,
  ) {
    super(`http://127.0.0.1:${port}`);
    const own = { HOST: '127.0.0.1', PORT: String(port), PUBLIC_URL: this.url };
    this.process = new TestProcess(NODE, [path.join(ROOT, 'dist/main.js')], {
      cwd: home,
      environment: { ...own, ...environment },
    });
  }

  /** Starts without waiting. @param home its working directory, from an earlier life or new */
  static async spawn(environment: Record<string, string> = {}, home = tempFolder()): Promise<OrchestratorProcess> {
    const port = Number(environment.PORT ?? (await freePort()));
    return new OrchestratorProcess(home, port, environment);
  }

  /** Starts and waits until it answers; throws with what it printed when it does not. */
  static async start(environment: Record<string, string> = {}, home = tempFolder()): Promise<OrchestratorProcess> {
    const self = await OrchestratorProcess.spawn(environment, home);
    await until(() => self.process.hasEnded || self.isHealthy(), START_MS).catch(() => undefined);
    if (!self.process.hasEnded && (await self.isHealthy())) return self;
    await self.process.kill();
    throw new Error(`the server did not start:\n${self.process.lines.join('\n')}`);
  }

  get lines(): string[] {
    return this.process.lines;
  }

  /** Asks it to end, and waits. */
  async leave(name: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    this.process.signal(name);
    return this.process.end();
  }

  /** Ends it whatever it does, and removes its folder. */
  async remove(): Promise<void> {
    await this.process.kill();
    rmSync(this.home, { recursive: true, force: true });
  }

  private async isHealthy(): Promise<boolean> {
    return this.get('/orchestrator/health').then(
      ({ status }) => status === 200,
      () => false,
    );
  }
}
