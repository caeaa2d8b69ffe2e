import fc, { type Arbitrary } from 'fast-check';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDroplet } from '../support/droplet.js';
import { until } from '../support/http.client.js';
import { OrchestratorProcess } from '../support/process.js';
import { reply, TestServer } from '../support/server.js';
import { FuzzClient } from './fuzz.client.js';
import { fuzzRequest } from './fuzz.request.js';
import { fuzzRoutes } from './fuzz.routes.js';
import { rawStream } from './raw.bytes.js';

/** Limits that are reached within the run: short deadlines, small bodies, few records. */
const SETTINGS = {
  ...{ TASK_TIMEOUT: '1', TASK_ATTEMPT_TIMEOUT: '0.3', RETRY_BACKOFF_BASE_MS: '5', RETRY_BACKOFF_MAX_MS: '20' },
  ...{ ASYNC_TASK_TIMEOUT: '2', ASYNC_ATTEMPT_TIMEOUT: '0.3', ASYNC_MAX_RETRIES: '2', ASYNC_BACKOFF_BASE_MS: '5' },
  ...{ BODY_LIMIT: '65536', RESPONSE_LIMIT: '262144', STORED_RESPONSE_LIMIT: '16384', TASK_MAX_HISTORY: '3000' },
  ...{ CALLBACK_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', CALLBACK_ALLOW_PRIVATE: 'true', LOG_LEVEL: 'info' },
};

const RUNS_A_BATCH = 50;
const LANES = 10;
const SEEDS = 2 ** 30;

export interface FuzzReport {
  readonly requests: number;
  readonly connections: number;
  readonly statuses: Readonly<Record<number, number>>;
  /** MiB of the process, after the first part of the run and at its end. */
  readonly memory: { readonly warm: number; readonly end: number };
  /** MiB of living objects: the least that was seen in the second fifth of the run, and in its last. */
  readonly heap: { readonly early: number; readonly late: number };
  readonly logLines: number;
}

export interface FuzzOptions {
  readonly seconds: number;
  /** The seed that a failure named: the batch that failed then is now among the first. */
  readonly seed?: number | undefined;
}

interface Lane {
  /** Each lane and each batch has a seed of its own, all made from this one. */
  readonly seed: number;
  readonly lane: number;
  readonly end: number;
}

/** A built server under both fuzzers, and all that must stay true of it. */
export class Fuzzer {
  private logLines = 0;
  private failure: Error | null = null;
  private readonly client: FuzzClient;
  /** Connections of those that asked whether the server is ready; they stay. */
  private readonly before: ReadonlySet<string>;

  private constructor(
    private readonly server: OrchestratorProcess,
    private readonly droplet: TestServer,
    private readonly canary: TestServer,
  ) {
    this.client = new FuzzClient(new URL(server.url));
    this.before = this.inodes();
  }

  static async start(): Promise<Fuzzer> {
    const droplet = await startDroplet();
    const canary = await TestServer.start((_seen, response) => reply(response, 200));
    const server = await OrchestratorProcess.start(SETTINGS);
    const self = new Fuzzer(server, droplet, canary);
    await self.client.ask('POST', '/register', { name: 'gone', url: 'http://127.0.0.1:1' });
    return self;
  }

  /** @throws for the first thing that may not be, with the seed that makes it again */
  async run({ seconds, seed = Math.floor(Math.random() * SEEDS) }: FuzzOptions): Promise<FuzzReport> {
    const begin = performance.now();
    const end = begin + seconds * 1000;
    const routes = fuzzRoutes({ droplet: this.droplet.url, canary: this.canary.url });
    const request = fuzzRequest(routes);
    const raw = rawStream();
    const lanes = [1, 2, 3, 4].map((lane) => this.lane(request, (each) => this.client.request(each), { seed, lane, end }));
    const rawLanes = [5, 6, 7].map((lane) => this.lane(raw, (each) => this.client.stream(each), { seed, lane, end }));
    const others = [this.slowClients(end), this.watch(end), this.keepEcho(end)];
    const fifth = seconds * 200;
    const early = this.leastHeap(begin + fifth, begin + 2 * fifth);
    const late = this.leastHeap(end - fifth, end);
    const warm = this.memoryAt(begin + Math.min(seconds * 0.4, 120) * 1000);
    try {
      await Promise.all([...lanes, ...rawLanes, ...others]);
      await this.settled();
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${await this.epitaph()}`, { cause: error });
    }
    return this.report({ warm: await warm, early: await early, late: await late });
  }

  async stop(): Promise<void> {
    this.client.close();
    await this.server.remove();
    await this.droplet.stop();
    await this.canary.stop();
  }

  /** Batch after batch until the time is over or something has failed. */
  private async lane<T>(arbitrary: Arbitrary<T>, send: (value: T) => Promise<void>, { seed, lane, end }: Lane): Promise<void> {
    const isOver = (): boolean => performance.now() >= end || this.failure !== null;
    const property = fc.asyncProperty(arbitrary, async (value) => (isOver() ? undefined : send(value)));
    for (let batch = 0; !isOver(); batch++) {
      // Unshrunk: the state of the server is part of what goes wrong.
      const own = { seed: seed + lane + batch * LANES, numRuns: RUNS_A_BATCH, endOnFailure: true };
      const { failed, counterexample, errorInstance } = await fc.check(property, own);
      if (!failed) continue;
      const again = `FUZZ_SEED=${seed + batch * LANES} makes it again: ${shown(counterexample)}`;
      this.failure ??= new Error(`${String(errorInstance)}\n${again}`, { cause: errorInstance });
      throw this.failure;
    }
  }

  /** Clients that the server must end by itself, two at a time. */
  private async slowClients(end: number): Promise<void> {
    do await Promise.all([this.client.drip(), this.client.drip()]).catch((error: unknown) => this.fail(error));
    while (performance.now() < end - 15_000 && this.failure === null);
  }

  /** Somebody else's requests go on being answered, the process lives, its log is JSON and the canary is left alone. */
  private async watch(end: number): Promise<void> {
    while (performance.now() < end && this.failure === null) {
      await this.lookAround();
      await sleep(50);
    }
  }

  /** The fuzzers may take the droplet away that most of their tasks go to, or hold the calls to it. */
  private async keepEcho(end: number): Promise<void> {
    while (performance.now() < end && this.failure === null) {
      await this.client.ask('POST', '/register', { name: 'echo', url: this.droplet.url }).catch(() => undefined);
      await this.client.ask('POST', '/droplets/echo/resume').catch(() => undefined);
      await this.client.ask('POST', '/droplets/echo/breaker', { state: 'auto' }).catch(() => undefined);
      await sleep(50);
    }
  }

  private async lookAround(): Promise<void> {
    try {
      if (this.server.process.hasEnded) throw new Error('the server has ended');
      const answer = await this.client.ask('GET', '/orchestrator/health/live');
      if (answer?.status !== 200) throw new Error(`the probe of life got ${String(answer?.status)}`);
      this.readLog();
      if (this.canary.seen.length > 0) throw new Error(`another host was called: ${JSON.stringify(this.canary.seen[0])}`);
      this.droplet.seen.length = 0;
    } catch (error) {
      this.fail(error);
    }
  }

  /** The first failure ends all lanes, and is the one that is told. */
  private fail(error: unknown): never {
    this.failure ??= error as Error;
    throw this.failure;
  }

  /** Takes what was logged since; a line that is still being written stays. */
  private readLog(): void {
    const { stdout, stderr } = this.server.process;
    if (stderr !== '') throw new Error(`on standard error: ${stderr.slice(0, 1000)}`);
    const end = stdout.lastIndexOf('\n') + 1;
    this.server.process.stdout = stdout.slice(end);
    for (const line of stdout.slice(0, end).split('\n').slice(0, -1)) {
      const { level, msg } = JSON.parse(line) as { level?: unknown; msg?: unknown };
      if (typeof level !== 'string' || typeof msg !== 'string') throw new Error(`a log line of another shape: ${line}`);
      if (level === 'error' || level === 'fatal') throw new Error(`logged: ${line}`);
      this.logLines++;
    }
  }

  /** After the last request, every connection is gone and the server serves on. */
  private async settled(): Promise<void> {
    await this.lookAround();
    this.client.close();
    await until(() => this.sockets().length === 0, 30_000).catch(() => {
      throw new Error(`connections are still open, as /proc/net/tcp has them:\n${this.sockets().join('\n')}`);
    });
  }

  /** Connections that others have opened to the server, whatever state they are in. */
  private sockets(): string[] {
    const own = this.inodes();
    const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1);
    const fields = lines
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , , , , , , , inode]) => own.has(inode ?? '') && !this.before.has(inode ?? ''));
    const port = this.server.port.toString(16).toUpperCase().padStart(4, '0');
    const [listening, locals] = ['0A', new Set(fields.map(([, local]) => local))];
    // Tasks that call the orchestrator itself keep a connection, both ends of which are here.
    return fields
      .filter(([, local, remote, state]) => local?.endsWith(`:${port}`) && state !== listening && !locals.has(remote))
      .map((line) => line.join(' '));
  }

  /** Its open sockets, as the kernel numbers them. */
  private inodes(): Set<string> {
    const folder = `/proc/${this.server.process.pid}/fd`;
    const target = (name: string): string => {
      try {
        return readlinkSync(`${folder}/${name}`);
      } catch {
        // Closed meanwhile.
        return '';
      }
    };
    return new Set(readdirSync(folder).map((name) => /^socket:\[(\d+)\]$/.exec(target(name))?.[1] ?? ''));
  }

  private memory(): number {
    const [, kib] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.server.process.pid}/status`, 'utf8')) ?? [];
    return Math.round(Number(kib) / 1024);
  }

  private async memoryAt(moment: number): Promise<number> {
    while (performance.now() < moment && this.failure === null) await sleep(50);
    return this.server.process.hasEnded ? 0 : this.memory();
  }

  /** What the garbage collector finds alive is little more than the least that is in use within a while. */
  private async leastHeap(from: number, to: number): Promise<number> {
    let least = Infinity;
    for (; performance.now() < to && this.failure === null; await sleep(500)) {
      if (performance.now() < from) continue;
      const answer = await this.client.ask('GET', '/metrics/prometheus').catch(() => null);
      const [, bytes] = /^nodejs_heap_size_used_bytes (\S+)$/m.exec(answer?.text ?? '') ?? [];
      if (bytes !== undefined) least = Math.min(least, Number(bytes));
    }
    return Math.round(least / 2 ** 20);
  }

  private report({ warm, early, late }: { warm: number; early: number; late: number }): FuzzReport {
    const { requests, connections, statuses } = this.client;
    return {
      requests,
      connections,
      statuses,
      memory: { warm, end: this.memory() },
      heap: { early, late },
      logLines: this.logLines,
    };
  }

  /** A process that has just died is known as dead a little later. */
  private async epitaph(): Promise<string> {
    const { process } = this.server;
    const hasEnded = await until(() => process.hasEnded, 1000).catch(() => false);
    if (!hasEnded) return 'The server lives.';
    return `The server has ended with ${JSON.stringify(await process.ended)}; its last words:\n${process.lines.slice(-20).join('\n')}`;
  }
}

/** Bytes as text, and not all of a long one. */
function shown(value: unknown): string {
  const text = JSON.stringify(value, (_key, member: unknown) => {
    const { type, data } = (member ?? {}) as { type?: unknown; data?: number[] };
    return type === 'Buffer' && data ? Buffer.from(data).toString('latin1').slice(0, 2000) : member;
  });
  return text.slice(0, 1500);
}
