import { Pool, TypeOverrides, types, type PoolClient, type QueryResultRow } from 'pg';
import type { Log } from '../../common/log.js';
import { storeError } from './postgres.errors.js';

/** A caller is told within 2 s that the store is away; contract §1. */
const CONNECT_TIMEOUT_MS = 1500;
/** A connection whose other end is silent for this long is given up; a statement that long is cut off. */
const QUERY_TIMEOUT_MS = 4000;
/** A process that is stopped in the middle of a transaction holds its locks no longer than this. */
const IDLE_TRANSACTION_MS = 3000;
const POOL_SIZE = 6;

/** Counts and times in milliseconds all stand below 2^53. */
const NUMBERS = new TypeOverrides();
NUMBERS.setTypeParser(types.builtins.INT8, Number);

/** Statements and their parameters. */
export interface Statement {
  /** Kept prepared under this name on each connection, if given. */
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
}

/** Runs statements on one connection. */
export interface Session {
  query<R extends QueryResultRow>(statement: Statement): Promise<R[]>;
}

/** How a commit may be lost with the server: `local` ones are made anew by whoever needs them. */
export type Durability = 'durable' | 'local';

/** The process' connections to PostgreSQL. An idle one that breaks is replaced in silence; no error of one ends the process. */
export class PostgresConnection implements Session {
  private readonly pools: Readonly<Record<Durability, Pool>>;

  constructor(
    readonly url: string,
    private readonly log: Log,
  ) {
    this.pools = { durable: this.pool(''), local: this.pool(' -c synchronous_commit=off') };
  }

  /** Runs one statement. @throws StorageUnavailableError, or what a bad statement throws */
  async query<R extends QueryResultRow>(statement: Statement, durability: Durability = 'durable'): Promise<R[]> {
    try {
      const { rows } = await this.pools[durability].query<R>(config(statement));
      return rows;
    } catch (error) {
      throw storeError(error);
    }
  }

  /** Runs statements in one transaction. @throws what they throw, or the driver does, as it is */
  async transaction<T>(work: (session: Session) => Promise<T>, durability: Durability = 'durable'): Promise<T> {
    const client = await this.pools[durability].connect();
    const onError = (): void => undefined;
    client.on('error', onError);
    try {
      // Not waited for: the first statements travel with it.
      const begun = client.query('BEGIN');
      begun.catch(() => undefined);
      const result = await work(sessionOf(client));
      await begun;
      await client.query('COMMIT');
      client.release();
      return result;
    } catch (error) {
      // In an unknown state it is closed, which also takes back what it had begun.
      client.release(true);
      throw error;
    } finally {
      client.off('error', onError);
    }
  }

  /** Resolves when what runs has ended. */
  async close(): Promise<void> {
    await Promise.all(Object.values(this.pools).map((pool) => pool.end()));
  }

  private pool(options: string): Pool {
    const pool = new Pool({
      ...{ connectionString: this.url, application_name: 'orchestrator', max: POOL_SIZE, types: NUMBERS },
      // Statements that do not wait for each other share a round trip.
      pipeline: true,
      ...{ connectionTimeoutMillis: CONNECT_TIMEOUT_MS, query_timeout: QUERY_TIMEOUT_MS, statement_timeout: QUERY_TIMEOUT_MS },
      ...{ idle_in_transaction_session_timeout: IDLE_TRANSACTION_MS, keepAlive: true, keepAliveInitialDelayMillis: 2000 },
      options: `-c lock_timeout=${QUERY_TIMEOUT_MS}${options}`,
    });
    pool.on('error', (err) => this.log.warn({ err }, 'connection to the store lost'));
    return pool;
  }
}

const sessionOf = (client: PoolClient): Session => ({
  query: async <R extends QueryResultRow>(statement: Statement) => (await client.query<R>(config(statement))).rows,
});

const config = ({ name, text, values = [] }: Statement) => ({
  text,
  values: [...values],
  ...(name === undefined ? {} : { name }),
});
