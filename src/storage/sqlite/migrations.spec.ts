import { describe, expect, it } from '@jest/globals';
import { DatabaseSync } from 'node:sqlite';
import { migrate, NewerSchemaError } from './migrations.js';

/** The schema as each version left it, in the order of the steps: what an old file holds does not change any more. */
const VERSION_1 = `
  CREATE TABLE write_probe (one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL) STRICT;
  INSERT INTO write_probe VALUES (1, 7);
  PRAGMA user_version = 1`;

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
    expect(names).toEqual(expect.arrayContaining(['tasks', 'task_meta', 'task_totals', 'droplets', 'write_probe']));
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
    expect(version(database)).toBe(2);
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
