import { Client } from 'pg';

/** Our tables stand in a schema of their own, beside whatever else the database holds. */
export const SCHEMA = 'orchestrator';

/** Any number: it keeps replicas that start at once from migrating at once. */
const MIGRATION_LOCK = 4_073_119_811;

/** How long a start waits for another replica that migrates. */
const LOCK_TIMEOUT_MS = 120_000;

/** A server that takes the connection and says nothing is given up, and tried again by whoever starts. */
const CONNECT_TIMEOUT_MS = 1500;

interface Step {
  readonly sql: string;
  /** The oldest version of the schema that a program must know to run beside this one, during a rolling update. */
  readonly oldestReader: number;
}

/**
 * The schema, one step after the other; a step is never edited. A step only adds, so that replicas of the version before
 * go on beside it; one that cannot raises `oldestReader`.
 *
 * Texts of callers are JSON texts, for PostgreSQL refuses NUL and lone surrogates. `job` and `claim` name the pg-boss job
 * that stands for a task and the last claim of it: who settles must hold that one. Totals are spread over slots, so that
 * replicas do not wait for each other's commits.
 */
const STEPS: readonly Step[] = [
  {
    oldestReader: 1,
    sql: `
    CREATE TABLE ${SCHEMA}.tasks (
      id uuid PRIMARY KEY,
      droplet_name text NOT NULL,
      droplet_key text NOT NULL,
      target_url text NOT NULL,
      method text NOT NULL,
      path text NOT NULL,
      status text NOT NULL,
      response_status integer,
      response_body text NOT NULL,
      retry_count integer NOT NULL,
      attempts integer NOT NULL,
      created_at bigint NOT NULL,
      completed_at bigint,
      duration_ms bigint,
      error text,
      meta text,
      priority integer NOT NULL,
      history text NOT NULL,
      run_at bigint,
      callback text,
      request text,
      bytes integer NOT NULL,
      queue text,
      job uuid,
      claim integer NOT NULL DEFAULT -1,
      owner uuid
    );
    CREATE INDEX tasks_by_status ON ${SCHEMA}.tasks (status, id);
    CREATE INDEX tasks_by_droplet ON ${SCHEMA}.tasks (droplet_key, status, id);
    CREATE INDEX tasks_by_completion ON ${SCHEMA}.tasks (completed_at) WHERE completed_at IS NOT NULL;
    CREATE INDEX tasks_by_owner ON ${SCHEMA}.tasks (owner) WHERE status = 'running' AND owner IS NOT NULL;
    CREATE TABLE ${SCHEMA}.task_meta (
      pair bytea NOT NULL,
      id uuid NOT NULL,
      PRIMARY KEY (pair, id)
    );
    CREATE INDEX task_meta_by_task ON ${SCHEMA}.task_meta (id);
    CREATE TABLE ${SCHEMA}.task_totals (
      slot integer PRIMARY KEY,
      success bigint NOT NULL DEFAULT 0,
      error bigint NOT NULL DEFAULT 0,
      timeout bigint NOT NULL DEFAULT 0,
      retries bigint NOT NULL DEFAULT 0,
      retried_to_success bigint NOT NULL DEFAULT 0,
      retried_to_failure bigint NOT NULL DEFAULT 0,
      tasks bigint NOT NULL DEFAULT 0,
      bytes bigint NOT NULL DEFAULT 0,
      jobs bigint NOT NULL DEFAULT 0
    );
    CREATE TABLE ${SCHEMA}.idempotency_keys (
      caller text NOT NULL,
      key text NOT NULL,
      fingerprint text NOT NULL,
      task_id uuid NOT NULL,
      expires_at bigint NOT NULL,
      PRIMARY KEY (caller, key)
    );
    CREATE INDEX idempotency_keys_by_expiry ON ${SCHEMA}.idempotency_keys (expires_at);
    CREATE TABLE ${SCHEMA}.droplets (
      id bigint PRIMARY KEY,
      name text NOT NULL UNIQUE,
      entry text NOT NULL
    );
    CREATE TABLE ${SCHEMA}.replicas (
      id uuid PRIMARY KEY,
      seen_at timestamptz NOT NULL
    );
    `,
  },
  // Whose a task is, what operators say of droplets, and the key of a task. The indexes by caller hold nothing where callers
  // have no names. Some of it is there already where an early build took step 1. The tasks, which everybody waits for, come last.
  {
    oldestReader: 1,
    sql: `
    CREATE INDEX IF NOT EXISTS idempotency_keys_by_task ON ${SCHEMA}.idempotency_keys (task_id);
    CREATE TABLE IF NOT EXISTS ${SCHEMA}.droplet_orders (
      name text PRIMARY KEY,
      paused boolean NOT NULL,
      breaker text NOT NULL
    );
    ALTER TABLE ${SCHEMA}.tasks ADD COLUMN IF NOT EXISTS caller text NOT NULL DEFAULT '';
    CREATE INDEX IF NOT EXISTS tasks_by_caller ON ${SCHEMA}.tasks (caller, id) WHERE caller <> '';
    CREATE INDEX IF NOT EXISTS tasks_by_caller_and_status ON ${SCHEMA}.tasks (caller, status, id) WHERE caller <> '';
    CREATE INDEX IF NOT EXISTS tasks_by_caller_and_droplet ON ${SCHEMA}.tasks (caller, droplet_key, status, id) WHERE caller <> '';
    `,
  },
];

/** The database was written by a newer version of this program, beside which this one cannot run. */
export class NewerSchemaError extends Error {
  constructor() {
    super('was written by a newer version that this one cannot run beside: start that one');
  }
}

/**
 * Brings our schema up to date, however many replicas start at once: the steps that are missing are taken in one
 * transaction, under a lock.
 * @throws NewerSchemaError
 */
export async function migrate(connectionString: string): Promise<void> {
  const client = new Client({
    connectionString,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'orchestrator migration',
  });
  // A connection that breaks says so by its statement, too; with nobody to hear it, it would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(`BEGIN; SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}; SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    await takeSteps(client);
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
}

async function takeSteps(client: Client): Promise<void> {
  // The right to make a schema is needed once: IF NOT EXISTS would ask for it at every start.
  const { rowCount } = await client.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [SCHEMA]);
  if (!rowCount) await client.query(`CREATE SCHEMA ${SCHEMA}`);
  await client.query(
    `CREATE TABLE IF NOT EXISTS ${SCHEMA}.schema_steps (
      step integer PRIMARY KEY, oldest_reader integer NOT NULL, taken_at timestamptz NOT NULL DEFAULT now()
    )`,
  );
  const { rows } = await client.query<{ taken: number; oldest_reader: number }>(
    `SELECT COALESCE(max(step), 0) AS taken, COALESCE(max(oldest_reader), 0) AS oldest_reader FROM ${SCHEMA}.schema_steps`,
  );
  const { taken = 0, oldest_reader = 0 } = rows[0] ?? {};
  if (oldest_reader > STEPS.length) throw new NewerSchemaError();
  for (const [index, { sql, oldestReader }] of STEPS.entries()) {
    if (index < taken) continue;
    await client.query(sql);
    await client.query(`INSERT INTO ${SCHEMA}.schema_steps (step, oldest_reader) VALUES ($1, $2)`, [index + 1, oldestReader]);
  }
}
