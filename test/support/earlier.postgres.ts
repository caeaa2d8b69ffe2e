import { PgBoss } from 'pg-boss';
import { JOBS_SCHEMA, queueOf } from '../../src/storage/postgres/postgres.jobs.js';
import { queryOnce } from './postgres.js';
import { jobOf, queuedTask, taskRequest } from './task.factory.js';

/** The schema as each version left it, in the order of the steps: what an old database holds does not change any more. */
const VERSION_1 = `
  CREATE SCHEMA orchestrator;
  CREATE TABLE orchestrator.schema_steps (
    step integer PRIMARY KEY, oldest_reader integer NOT NULL, taken_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE TABLE orchestrator.tasks (
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
  CREATE INDEX tasks_by_status ON orchestrator.tasks (status, id);
  CREATE INDEX tasks_by_droplet ON orchestrator.tasks (droplet_key, status, id);
  CREATE INDEX tasks_by_completion ON orchestrator.tasks (completed_at) WHERE completed_at IS NOT NULL;
  CREATE INDEX tasks_by_owner ON orchestrator.tasks (owner) WHERE status = 'running' AND owner IS NOT NULL;
  CREATE TABLE orchestrator.task_meta (
    pair bytea NOT NULL,
    id uuid NOT NULL,
    PRIMARY KEY (pair, id)
  );
  CREATE INDEX task_meta_by_task ON orchestrator.task_meta (id);
  CREATE TABLE orchestrator.task_totals (
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
  CREATE TABLE orchestrator.idempotency_keys (
    caller text NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    task_id uuid NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (caller, key)
  );
  CREATE INDEX idempotency_keys_by_expiry ON orchestrator.idempotency_keys (expires_at);
  CREATE TABLE orchestrator.droplets (
    id bigint PRIMARY KEY,
    name text NOT NULL UNIQUE,
    entry text NOT NULL
  );
  CREATE TABLE orchestrator.replicas (
    id uuid PRIMARY KEY,
    seen_at timestamptz NOT NULL
  );
  INSERT INTO orchestrator.schema_steps (step, oldest_reader) VALUES (1, 1);
`;

/** Builds between the first version and the second took step 1 with a part of step 2 in it. */
const EARLY_VERSION_2 = `
  ${VERSION_1}
  ALTER TABLE orchestrator.tasks ADD COLUMN caller text NOT NULL DEFAULT '';
  CREATE INDEX tasks_by_caller ON orchestrator.tasks (caller, id) WHERE caller <> '';
  CREATE TABLE orchestrator.droplet_orders (
    name text PRIMARY KEY,
    paused boolean NOT NULL,
    breaker text NOT NULL
  );
`;

/** An earlier schema. */
interface EarlierSchema {
  readonly title: string;
  /** The last step that was taken. */
  readonly step: number;
  readonly sql: string;
  /** From when the times of its jobs are counted, if the time is `now`; epoch ms. */
  readonly origin: (now: number) => number;
}

/** Every schema that ever was, but the newest. */
export const EARLIER_SCHEMAS: readonly EarlierSchema[] = [
  { title: 'version 1', step: 1, sql: VERSION_1, origin: () => 0 },
  { title: 'an early build of version 2', step: 1, sql: EARLY_VERSION_2, origin: (now) => now },
];

/** The tasks in a database that `fillEarlier` has filled. */
export const OLD_TASKS = {
  done: '01890000-0000-7000-8000-000000000001',
  queued: '01890000-0000-7000-8000-000000000002',
};

const NOW = '(extract(epoch FROM now()) * 1000)::bigint';
const TASKS = `
  INSERT INTO orchestrator.tasks (id, droplet_name, droplet_key, target_url, method, path, status, response_status,
    response_body, retry_count, attempts, created_at, completed_at, duration_ms, meta, priority, history, run_at, request,
    bytes, queue, job)
  VALUES
    ('${OLD_TASKS.done}', '"Echo"', '"echo"', 'http://e/', 'GET', '/', 'error', 503,
      '{"v":1.0}', 2, 3, ${NOW}, ${NOW}, 7, '{"a":"b"}', 5, '[]', NULL, NULL,
      200, NULL, NULL),
    ('${OLD_TASKS.queued}', '"Echo"', '"echo"', 'http://e/echo', 'GET', '/echo', 'queued', NULL,
      'null', 0, 0, ${NOW}, NULL, NULL, NULL, 5, '[]', ${NOW}, $1,
      400, $2, $3)`;
const TOTALS = 'INSERT INTO orchestrator.task_totals (slot, error, retries, tasks, bytes, jobs) VALUES (0, 1, 2, 2, 600, 1)';
const DROPLET = 'INSERT INTO orchestrator.droplets (id, name, entry) VALUES (3, $1, $2)';

/** A database as an earlier version left it: with a task that is over, one that waits with its job, and a droplet. */
export async function fillEarlier(url: string, { sql, origin }: EarlierSchema, endpoint: string): Promise<void> {
  await queryOnce(url, sql);
  const now = Date.now();
  // Version 1 knows nothing of charges.
  const job = { ...jobOf(queuedTask({ id: OLD_TASKS.queued }), now - origin(now)), isCharged: undefined };
  const place = await putJob(url, queueOf(jobOf(queuedTask(), 0)), JSON.stringify(job));
  await queryOnce(url, TASKS, [JSON.stringify(taskRequest()), ...place]);
  await queryOnce(url, TOTALS);
  const entry = {
    ...{ id: 3, name: 'Echo', endpoint, version: null, metadata: null, steward: null, status: 'active', proof: null },
    ...{ cost_usd: 0, yield_usd: 0, registered_at: null, updated_at: null, heartbeat: null },
  };
  await queryOnce(url, DROPLET, [JSON.stringify(entry.name), JSON.stringify(entry)]);
}

/** Resolves to where it stands. */
async function putJob(url: string, queue: string, job: string): Promise<[queue: string, id: string | null]> {
  const options = { connectionString: url, schema: JOBS_SCHEMA, max: 2, supervise: false, schedule: false };
  const boss = await new PgBoss(options).start();
  await boss.createQueue(queue);
  const id = await boss.send(queue, { job }, { group: { id: queue } });
  await boss.stop({ graceful: false });
  return [queue, id];
}
