import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { until } from './http.client.js';
import { copyFolder, give, postgresTemplate, type PostgresTemplate } from './postgres.template.js';
import { Postmaster } from './postmaster.js';
import { stablePort } from './stable.port.js';

const START_MS = 20_000;

/** How a server ends: `fast` with a checkpoint, `immediate` as in a crash, so that the next start recovers from the log. */
export type StopMode = 'fast' | 'immediate';

const SIGNALS: Record<StopMode, NodeJS.Signals> = { fast: 'SIGINT', immediate: 'SIGQUIT' };

/** One statement on a connection of its own. */
export async function queryOnce(url: string, sql: string, params: readonly unknown[] = []): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: START_MS });
  // A connection that breaks says so by its query; without a listener it would end the process as well.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await client.query(sql, [...params]);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** A name that no other test has. */
export const databaseName = (): string => `test_${randomUUID().replaceAll('-', '')}`;

/** A real PostgreSQL server in a folder of its own, with fsync and everything else as it comes. */
export class TestPostgres {
  private postmaster: Postmaster | null = null;

  private constructor(
    private readonly template: PostgresTemplate,
    readonly folder: string,
    readonly port: number,
  ) {}

  static async start(): Promise<TestPostgres> {
    const template = await postgresTemplate();
    const folder = await mkdtemp(path.join(tmpdir(), 'orchestrator-'));
    const self = new TestPostgres(template, folder, await stablePort());
    try {
      await copyFolder(template.data, self.data);
      await give(folder, template.owner);
      await self.startAgain();
    } catch (error) {
      await self.stop();
      throw error;
    }
    return self;
  }

  /** The process id of the server. @throws when it does not run */
  get pid(): number {
    return this.running().pid;
  }

  /** What the server has logged in all its lives. */
  get log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  /** Of a database, for the superuser, who needs no password. */
  url(database: string): string {
    return `postgres://postgres@127.0.0.1:${this.port}/${database}`;
  }

  /** @returns the URL of a new, empty database */
  async createDatabase(): Promise<string> {
    const name = databaseName();
    await this.query(`CREATE DATABASE ${name} TEMPLATE template1`);
    return this.url(name);
  }

  /** As superuser, on a connection of its own. */
  async query(sql: string, params: readonly unknown[] = [], database = 'postgres'): Promise<pg.QueryResult> {
    return queryOnce(this.url(database), sql, params);
  }

  /** Ends the server and waits until all its processes are gone. */
  async stopNow(mode: StopMode): Promise<void> {
    const postmaster = this.running();
    postmaster.signal(SIGNALS[mode]);
    await postmaster.end();
  }

  /** Starts the server on the port and the data of its last life, and waits until it answers. */
  async startAgain(): Promise<void> {
    if (this.postmaster?.hasEnded === false) throw new Error('the server runs already');
    const { postgres: program, owner } = this.template;
    const places = { cwd: this.folder, log: this.logFile };
    const postmaster = await Postmaster.start({ program, args: this.settings(), owner, ...places });
    this.postmaster = postmaster;
    await until(() => postmaster.hasEnded || this.answers(), START_MS).catch(() => undefined);
    if (postmaster.hasEnded || !(await this.answers())) throw new Error(`PostgreSQL did not start:\n${this.log}`);
  }

  async restart(mode: StopMode): Promise<void> {
    await this.stopNow(mode);
    await this.startAgain();
  }

  /** Sends a signal to the main process, not to those that serve the connections. */
  signal(name: NodeJS.Signals): void {
    this.running().signal(name);
  }

  /** Ends the server whatever it does, and removes its folder. */
  async stop(): Promise<void> {
    if (this.postmaster?.hasEnded === false) {
      this.signal('SIGCONT');
      await this.stopNow('immediate');
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  private get data(): string {
    return path.join(this.folder, 'data');
  }

  private get logFile(): string {
    return path.join(this.folder, 'postgres.log');
  }

  private settings(): string[] {
    const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200'];
    return ['-D', this.data, '-p', String(this.port), ...settings.flatMap((setting) => ['-c', setting])];
  }

  private running(): Postmaster {
    if (this.postmaster === null || this.postmaster.hasEnded) throw new Error('the server does not run');
    return this.postmaster;
  }

  private async answers(): Promise<boolean> {
    return this.query('SELECT 1').then(
      () => true,
      () => false,
    );
  }
}
