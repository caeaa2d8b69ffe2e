import path from 'node:path';
import { HttpClient, until } from '../support/http.client.js';
import { NODE, ROOT, TestProcess, type Exit } from '../support/process.js';
import { freePort } from '../support/server.js';
import { allFinal, allTasks } from './task.books.js';

/** Where the server can kill itself; trap.mjs says what each one means. */
export const POINTS = ['inserted', 'committed', 'claimed', 'answered', 'settled'] as const;
export type Point = (typeof POINTS)[number];

export interface Trap {
  readonly point: Point;
  /** It dies when it has come to the point this often. */
  readonly occasion: number;
  /** It counts from its start, or from `arm`. */
  readonly isArmed: boolean;
}

export interface CrashOptions {
  readonly trap?: Trap | undefined;
  /** The control build, which replies before it commits. */
  readonly repliesEarly?: boolean;
  readonly measuresLoop?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  /** What stands before `node` on the command line. */
  readonly under?: readonly string[];
}

const START_MS = 30_000;
const preload = (name: string): string[] => ['--import', path.join(import.meta.dirname, name)];

/** The built server, which a test kills, or which kills itself. */
export class CrashServer extends HttpClient {
  readonly process: TestProcess;

  private constructor(
    port: number,
    readonly home: string,
    { trap, repliesEarly = false, measuresLoop = false, environment = {}, under = [] }: CrashOptions,
  ) {
    super(`http://127.0.0.1:${port}`);
    const preloads = [
      ...(trap ? preload('trap.mjs') : []),
      ...(repliesEarly ? preload('early-reply.mjs') : []),
      ...(measuresLoop ? preload('loop-delay.mjs') : []),
    ];
    const own = { HOST: '127.0.0.1', PORT: String(port), PUBLIC_URL: this.url, LOG_LEVEL: 'error', ASYNC_BACKOFF_BASE_MS: '20' };
    const line = [...under, NODE, ...preloads, path.join(ROOT, 'dist/main.js')];
    this.process = new TestProcess(line[0]!, line.slice(1), {
      cwd: home,
      environment: { ...own, ...trapSettings(trap), ...environment },
    });
  }

  /** Starts without waiting. @param home its folder, from an earlier life or new */
  static async spawn(home: string, options: CrashOptions = {}): Promise<CrashServer> {
    return new CrashServer(await freePort(), home, options);
  }

  static async start(home: string, options: CrashOptions = {}): Promise<CrashServer> {
    const self = await CrashServer.spawn(home, options);
    if (await self.isUp()) return self;
    throw new Error(`the server did not start:\n${self.process.lines.join('\n')}`);
  }

  /** True when it takes tasks, false when it has died before. */
  async isUp(): Promise<boolean> {
    await until(() => this.process.hasEnded || this.isReady(), START_MS);
    return !this.process.hasEnded;
  }

  /** The point where it killed itself; null when it did not. */
  get diedAt(): string | null {
    return /^died: (\w+)$/m.exec(this.process.stdout)?.[1] ?? null;
  }

  /** Its trap begins to count. */
  arm(): void {
    this.process.signal('SIGUSR2');
  }

  /** Ends it as a power cut would. */
  kill(): void {
    this.process.signal('SIGKILL');
  }

  /** Asks it to end in order. */
  leave(): Promise<Exit> {
    this.process.signal('SIGTERM');
    return this.process.end();
  }

  /** Waits until no task is queued or running. */
  allFinal(ms?: number): Promise<void> {
    return allFinal(this, ms);
  }

  /** Every task that the server knows, as its list shows it. */
  allTasks(): Promise<any[]> {
    return allTasks(this);
  }

  private isReady(): Promise<boolean> {
    return this.get('/orchestrator/health/ready').then(
      ({ status }) => status === 200,
      () => false,
    );
  }
}

const trapSettings = (trap?: Trap): Record<string, string> =>
  trap
    ? { CRASH_POINT: trap.point, CRASH_OCCASION: String(trap.occasion), CRASH_ARMED: trap.isArmed ? 'at start' : 'later' }
    : {};
