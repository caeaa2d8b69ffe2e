import { describe, expect, it } from '@jest/globals';
import { DatabaseSync } from 'node:sqlite';
import { migrate, NewerSchemaError } from './migrations.js';

/** The schema as each version left it, in the order of the steps: what an old file holds does not change any more. */
const VERSION_1 = `
  CREATE TABLE tasks (
    id TEXT PRIMARY KEY,
    droplet_name TEXT NOT NULL,
    droplet_key TEXT NOT NULL,
    target_url TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    status TEXT NOT NULL,
    response_status INTEGER,
    response_body TEXT NOT NULL,
    retry_count INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    completed_at INTEGER,
    duration_ms INTEGER,
    error TEXT,
    meta TEXT,
    priority INTEGER NOT NULL,
    history TEXT NOT NULL
  ) STRICT;
  CREATE INDEX tasks_by_status ON tasks (status, id);
  CREATE INDEX tasks_by_droplet ON tasks (droplet_key, status, id);
  CREATE TABLE task_meta (
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    id TEXT NOT NULL,
    droplet_key TEXT NOT NULL,
    status TEXT NOT NULL,
    PRIMARY KEY (key, value, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE task_totals (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    success INTEGER NOT NULL DEFAULT 0,
    error INTEGER NOT NULL DEFAULT 0,
    timeout INTEGER NOT NULL DEFAULT 0,
    retries INTEGER NOT NULL DEFAULT 0,
    retried_to_success INTEGER NOT NULL DEFAULT 0,
    retried_to_failure INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  INSERT INTO task_totals (one) VALUES (1);
  CREATE TABLE droplets (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    entry TEXT NOT NULL
  ) STRICT;
  CREATE TABLE write_probe (one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL, filler BLOB) STRICT;
  INSERT INTO tasks VALUES ('t1', 'Echo', 'echo', 'http://e/', 'GET', '/', 'error', 503, '1.0', 3, 3, 1, 2, 1, NULL, NULL, 5, '[]');
  UPDATE task_totals SET error = 1, retries = 3;
  INSERT INTO write_probe VALUES (1, 7, NULL);
  PRAGMA user_version = 1`;

/** How many steps there are. */
const STEPS = 3;

const version = (database: DatabaseSync): number => Number(database.prepare('PRAGMA user_version').get()?.user_version);

const schema = (database: DatabaseSync): unknown[] =>
  database
    .prepare('SELECT name, sql FROM sqlite_schema ORDER BY name')
    .all()
    .map((row) => ({ ...row }));

describe('migrate', () => {
  it('makes the whole schema in an empty database', () => {
    const database = new DatabaseSync(':memory:');
    migrate(database);
    const names = schema(database).map((row) => (row as { name: string }).name);
    expect(names).toEqual(
      expect.arrayContaining([
        'tasks',
        'task_meta',
        'task_totals',
        'droplets',
        'write_probe',
        'jobs',
        'idempotency_keys',
        'droplet_orders',
      ]),
    );
    expect([version(database) > 0, database.isTransaction]).toEqual([true, false]);
  });

  it('changes nothing when all steps are taken', () => {
    const database = new DatabaseSync(':memory:');
    migrate(database);
    database.exec('UPDATE task_totals SET success = 5');
    const before = [schema(database), version(database)];
    migrate(database);
    expect([schema(database), version(database)]).toEqual(before);
    expect(database.prepare('SELECT success FROM task_totals').get()?.success).toBe(5);
  });

  it('takes only the steps that are missing, and keeps the rows', () => {
    const database = new DatabaseSync(':memory:');
    database.exec(VERSION_1);
    migrate(database);
    expect({ ...database.prepare('SELECT * FROM write_probe').get() }).toEqual({ one: 1, at: 7, filler: null });
    const kept = { id: 't1', status: 'error', response_body: '1.0', retry_count: 3, completed_at: 2 };
    expect({ ...database.prepare('SELECT * FROM tasks').get() }).toMatchObject({
      ...kept,
      run_at: null,
      callback: null,
      request: null,
    });
    expect({ ...database.prepare('SELECT * FROM task_totals').get() }).toMatchObject({ error: 1, retries: 3 });
    expect(database.prepare('SELECT COUNT(*) AS count FROM jobs').get()?.count).toBe(0);
    expect(version(database)).toBe(STEPS);
  });

  it('undoes a step that fails half-way, and keeps the version', () => {
    const database = new DatabaseSync(':memory:');
    database.exec('CREATE TABLE droplets (in_the_way TEXT)');
    expect(() => migrate(database)).toThrow('droplets');
    if (database.isTransaction) database.exec('ROLLBACK');
    expect([version(database), schema(database)]).toEqual([
      0,
      [{ name: 'droplets', sql: 'CREATE TABLE droplets (in_the_way TEXT)' }],
    ]);
  });

  it('refuses the schema of a newer version', () => {
    const database = new DatabaseSync(':memory:');
    database.exec('PRAGMA user_version = 1000');
    expect(() => migrate(database)).toThrow(NewerSchemaError);
    expect(schema(database)).toEqual([]);
  });
});
