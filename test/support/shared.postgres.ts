import { databaseName, queryOnce, TestPostgres } from './postgres.js';

const OLDEST = 140_000;

/** A place for databases, whoever runs it. */
export type Databases = Pick<TestPostgres, 'createDatabase' | 'url' | 'query' | 'stop'>;

let shared: Promise<Databases> | null = null;

/**
 * The databases of one test file: on the server that TEST_DATABASE_URL names (PostgreSQL 14 or newer, a user who may create
 * databases), else on a server of its own. Every call in a file gives the same one; `stop` ends it for all.
 */
export async function sharedPostgres(): Promise<Databases> {
  shared ??= open();
  return shared;
}

async function open(): Promise<Databases> {
  const { TEST_DATABASE_URL: url = '' } = process.env;
  const server = await (url === '' ? TestPostgres.start() : OtherPostgres.connect(url));
  return {
    url: (database) => server.url(database),
    createDatabase: () => server.createDatabase(),
    query: (sql, params, database) => server.query(sql, params, database),
    stop: async () => {
      shared = null;
      await server.stop();
    },
  };
}

/** A server that is there already; our databases on it go at the end. */
class OtherPostgres implements Databases {
  private readonly names: string[] = [];

  private constructor(private readonly home: string) {}

  /** @throws when it is older than what the project supports */
  static async connect(home: string): Promise<OtherPostgres> {
    const { rows } = await queryOnce(home, 'SHOW server_version_num');
    const version = Number(rows[0].server_version_num);
    if (version < OLDEST) throw new Error(`TEST_DATABASE_URL is PostgreSQL ${Math.floor(version / 10_000)}: 14 or newer, please`);
    return new OtherPostgres(home);
  }

  url(database: string): string {
    const url = new URL(this.home);
    url.pathname = `/${database}`;
    return url.href;
  }

  async createDatabase(): Promise<string> {
    const name = databaseName();
    await this.query(`CREATE DATABASE ${name} TEMPLATE template1`);
    this.names.push(name);
    return this.url(name);
  }

  async query(sql: string, params: readonly unknown[] = [], database?: string) {
    return queryOnce(database === undefined ? this.home : this.url(database), sql, params);
  }

  async stop(): Promise<void> {
    for (const name of this.names) await this.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  }
}
