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
  `,
  // Asynchronous tasks: what they send, when they are due, and the keys that stand for them. A job is waiting or running;
  // waiting ones are found by lane, priority and time in one probe of the partial index.
  `
  ALTER TABLE tasks ADD COLUMN run_at INTEGER;
  ALTER TABLE tasks ADD COLUMN callback TEXT;
  ALTER TABLE tasks ADD COLUMN request TEXT;
  CREATE INDEX tasks_by_completion ON tasks (completed_at) WHERE completed_at IS NOT NULL;
  CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    lane TEXT NOT NULL,
    priority INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    deadline_at INTEGER NOT NULL,
    attempts_before INTEGER NOT NULL,
    delay_ms INTEGER NOT NULL,
    interruptions INTEGER NOT NULL,
    running INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX jobs_waiting ON jobs (lane, priority, due_at) WHERE running = 0;
  CREATE INDEX jobs_running ON jobs (id) WHERE running = 1;
  CREATE TABLE idempotency_keys (
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    task_id TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (caller, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);
  `,
  // Retries that the droplet's budget has not been charged for, what operators say of droplets, and whose a task is: its
  // indexes hold nothing where callers have no names.
  `
  ALTER TABLE jobs ADD COLUMN charged INTEGER NOT NULL DEFAULT 1;
  CREATE TABLE droplet_orders (name TEXT PRIMARY KEY, paused INTEGER NOT NULL, breaker TEXT NOT NULL) STRICT, WITHOUT ROWID;
  ALTER TABLE tasks ADD COLUMN caller TEXT NOT NULL DEFAULT '';
  CREATE INDEX tasks_by_caller ON tasks (caller, status, id) WHERE caller <> '';
  CREATE INDEX tasks_by_caller_and_droplet ON tasks (caller, droplet_key, status, id) WHERE caller <> '';
  `,
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
