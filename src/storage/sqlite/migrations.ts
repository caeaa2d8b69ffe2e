import type { DatabaseSync } from 'node:sqlite';

/**
 * The schema, one step after the other; `PRAGMA user_version` counts the ones taken. A step is never edited.
 *
 * Task ids are UUIDv7, so the primary key is also the order of creation. A list by droplet and one by status each read
 * one index from its end; by both, the same; by droplet alone it merges one range per status.
 */
const STEPS: readonly string[] = [
  `
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
    completed_at INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
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
  CREATE TABLE write_probe (one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL) STRICT;
  `,
  'ALTER TABLE write_probe ADD COLUMN filler BLOB',
];

/** The database was written by a newer version of this program. */
export class NewerSchemaError extends Error {}

/** Takes the steps that are missing, each in a transaction: a start that is killed in between goes on from there. */
export function migrate(database: DatabaseSync): void {
  const taken = schemaVersion(database);
  if (taken > STEPS.length) throw new NewerSchemaError('was written by a newer version: start that one');
  for (const [index, step] of STEPS.entries()) {
    if (index < taken) continue;
    database.exec(`BEGIN IMMEDIATE; ${step}; PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}

function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version ?? 0);
}
