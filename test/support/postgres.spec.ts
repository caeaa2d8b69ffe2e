import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { until } from './http.client.js';
import { queryOnce, TestPostgres } from './postgres.js';
import { sharedPostgres } from './shared.postgres.js';
import { TestTcpProxy } from './tcp.proxy.js';

const CREATE = 'CREATE TABLE notes (text text)';
const INSERT = 'INSERT INTO notes VALUES ($1)';

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const textsIn = async (url: string): Promise<string[]> => {
  const { rows } = await queryOnce(url, 'SELECT text FROM notes');
  return rows.map(({ text }) => text);
};

describe('A PostgreSQL of the tests', () => {
  let server: TestPostgres;

  beforeAll(async () => {
    server = await TestPostgres.start();
  });
  afterAll(() => server.stop());

  it('is durable, roomy and reachable from this machine only', async () => {
    const { rows } = await server.query(
      `SELECT name, setting FROM pg_settings
       WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes', 'max_connections', 'listen_addresses') ORDER BY name`,
    );
    expect(rows.map(({ name, setting }) => `${name}=${setting}`)).toEqual([
      ...['fsync=on', 'full_page_writes=on', 'listen_addresses=127.0.0.1', 'max_connections=200', 'synchronous_commit=on'],
    ]);
  });

  it('sorts text as a production server does, not by its bytes', async () => {
    const { rows } = await server.query("SELECT text FROM (VALUES ('B'), ('a')) AS pair(text) ORDER BY text");
    expect(rows).toEqual([{ text: 'a' }, { text: 'B' }]);
  });

  it('keeps what is in one database out of another', async () => {
    const [one, other] = await Promise.all([server.createDatabase(), server.createDatabase()]);
    for (const url of [one, other]) await queryOnce(url, CREATE);
    await queryOnce(one, INSERT, ['mine']);
    expect(await textsIn(one)).toEqual(['mine']);
    expect(await textsIn(other)).toEqual([]);
  });

  it.each(['immediate', 'fast'] as const)('keeps committed rows, and only those, over a restart that is %s', async (mode) => {
    const url = await server.createDatabase();
    await queryOnce(url, CREATE);
    await queryOnce(url, INSERT, ['committed']);
    const open = new pg.Client(url);
    open.on('error', () => undefined);
    await open.connect();
    await open.query('BEGIN');
    await open.query(INSERT, ['never committed']);
    const before = server.pid;
    await server.restart(mode);
    expect(server.pid).not.toBe(before);
    expect(isAlive(before)).toBe(false);
    expect(await textsIn(url)).toEqual(['committed']);
  });

  it('says that it recovers after an immediate stop, and not after a fast one', async () => {
    const recoveries = (): number => server.log.split('was not properly shut down; automatic recovery in progress').length - 1;
    const before = recoveries();
    await server.restart('fast');
    expect(recoveries()).toBe(before);
    await server.restart('immediate');
    expect(recoveries()).toBe(before + 1);
  });

  it('is away between a stop and the next start', async () => {
    await server.stopNow('immediate');
    await expect(server.query('SELECT 1')).rejects.toThrow('ECONNREFUSED');
    expect(() => server.signal('SIGHUP')).toThrow('does not run');
    await server.startAgain();
    expect((await server.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });
});

describe('A PostgreSQL that has been stopped', () => {
  it('leaves no process, no open port and no folder, even with clients and while it hangs', async () => {
    const server = await TestPostgres.start();
    const client = new pg.Client(server.url('postgres'));
    client.on('error', () => undefined);
    await client.connect();
    const { rows } = await client.query('SELECT pid FROM pg_stat_activity');
    const processes = [server.pid, ...rows.map(({ pid }) => pid as number)];
    expect(processes.length).toBeGreaterThan(3);
    expect(processes.every(isAlive)).toBe(true);
    server.signal('SIGSTOP');
    await server.stop();
    expect(processes.filter(isAlive)).toEqual([]);
    expect(existsSync(server.folder)).toBe(false);
    await expect(server.query('SELECT 1')).rejects.toThrow('ECONNREFUSED');
  });
});

describe('The PostgreSQL that a test file shares', () => {
  const { TEST_DATABASE_URL: given } = process.env;

  afterEach(() => {
    if (given === undefined) delete process.env.TEST_DATABASE_URL;
    else process.env.TEST_DATABASE_URL = given;
  });

  it('is one for all who ask, and a new one after its end', async () => {
    const [one, other] = await Promise.all([sharedPostgres(), sharedPostgres()]);
    expect(one).toBe(other);
    const url = await one.createDatabase();
    expect((await queryOnce(url, 'SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await one.stop();
    const next = await sharedPostgres();
    expect(next).not.toBe(one);
    await next.stop();
  });

  it('is the one that TEST_DATABASE_URL names, which has its old databases only when the tests are over', async () => {
    const server = await TestPostgres.start();
    const names = async () =>
      (await server.query('SELECT datname FROM pg_database ORDER BY 1')).rows.map(({ datname }) => datname);
    const before = await names();
    process.env.TEST_DATABASE_URL = server.url('postgres');
    const shared = await sharedPostgres();
    const urls = [await shared.createDatabase(), await shared.createDatabase()];
    expect(urls.every((url) => new URL(url).port === String(server.port))).toBe(true);
    expect(await names()).toHaveLength(before.length + 2);
    const left = new pg.Client(urls[0]);
    left.on('error', () => undefined);
    await left.connect();
    await shared.stop();
    expect(await names()).toEqual(before);
    await server.stop();
  });
});

describe('A proxy before PostgreSQL', () => {
  let server: TestPostgres;
  let database: string;
  let proxy: TestTcpProxy;
  let client: pg.Client;

  beforeAll(async () => {
    server = await TestPostgres.start();
  });
  afterAll(() => server.stop());

  const open = async (): Promise<pg.Client> => {
    const url = new URL(database);
    url.port = String(proxy.port);
    const client = new pg.Client(url.href);
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };

  const begin = async (): Promise<void> => {
    database = await server.createDatabase();
    await queryOnce(database, CREATE);
    proxy = await TestTcpProxy.start(server.port);
    client = await open();
  };

  afterEach(async () => {
    // First: a client cannot say goodbye through a proxy that is frozen.
    await proxy.stop();
    await client.end().catch(() => undefined);
  });

  it('passes large answers and large queries on, whole', async () => {
    await begin();
    const text = 'é'.repeat(5_000_000);
    const { rows } = await client.query('SELECT $1::text AS text', [text]);
    expect(rows[0].text === text).toBe(true);
    expect(proxy.connectionCount).toBe(1);
    await client.end();
    await until(() => proxy.connectionCount === 0);
    expect(proxy.accepted).toBe(1);
  });

  it('that is frozen makes a query hang, and answers it when it thaws', async () => {
    await begin();
    proxy.freeze();
    let isAnswered = false;
    const query = client.query('SELECT 1 AS one').finally(() => (isAnswered = true));
    // The same query, past the proxy and ten times, is the measure of "long enough".
    for (let i = 0; i < 10; i++) await queryOnce(database, 'SELECT 1');
    expect(isAnswered).toBe(false);
    expect(proxy.connectionCount).toBe(1);
    proxy.thaw();
    expect((await query).rows).toEqual([{ one: 1 }]);
  });

  it('that is frozen takes a new connection and leaves it without a word', async () => {
    await begin();
    proxy.freeze();
    const late = new pg.Client({ host: '127.0.0.1', port: proxy.port, user: 'postgres', connectionTimeoutMillis: 200 });
    late.on('error', () => undefined);
    await expect(late.connect()).rejects.toThrow('timeout');
    expect(proxy.accepted).toBe(2);
  });

  it('that is cut fails the query that waits, and takes new connections', async () => {
    await begin();
    const query = client.query('SELECT pg_sleep(60)');
    await until(async () => (await server.query("SELECT 1 FROM pg_stat_activity WHERE query LIKE '%sleep(60)'")).rowCount === 1);
    proxy.cut();
    await expect(query).rejects.toThrow('Connection terminated unexpectedly');
    client = await open();
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('that refuses keeps its connections, and comes back on the same port', async () => {
    await begin();
    proxy.refuse();
    await expect(open()).rejects.toThrow('ECONNREFUSED');
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await proxy.accept();
    const other = await open();
    expect((await other.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await other.end();
  });

  it.each([
    ['is lost with the connection when it is cut before', 'cut', []],
    ['stands when only its answer is lost', 'forward and cut', ['in doubt']],
  ] as const)('a COMMIT %s', async (_, verdict, expected) => {
    await begin();
    proxy.onClientData((chunk) => (chunk.includes('COMMIT') ? verdict : 'forward'));
    await client.query('BEGIN');
    await client.query(INSERT, ['in doubt']);
    await expect(client.query('COMMIT')).rejects.toThrow('Connection terminated unexpectedly');
    await until(
      async () => (await server.query('SELECT 1 FROM pg_stat_activity WHERE datname = $1', [databaseOf()])).rowCount === 0,
    );
    expect(await textsIn(database)).toEqual(expected);
  });

  const databaseOf = (): string => new URL(database).pathname.slice(1);
});
