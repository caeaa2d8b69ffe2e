import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { PgBoss } from 'pg-boss';
import { EARLIER_SCHEMAS, fillEarlier, OLD_TASKS } from '../../../test/support/earlier.postgres.js';
import { until } from '../../../test/support/http.client.js';
import { queryOnce } from '../../../test/support/postgres.js';
import { sharedPostgres } from '../../../test/support/shared.postgres.js';
import { migrate, NewerSchemaError, SCHEMA } from './migrations.js';
import { JOBS_SCHEMA } from './postgres.jobs.js';

const TABLES = [
  'droplet_orders',
  'droplets',
  'idempotency_keys',
  'replicas',
  'schema_steps',
  'task_meta',
  'task_totals',
  'tasks',
];

/** How many steps there are. */
const STEPS = 2;
const ALL_STEPS = Array.from({ length: STEPS }, (_, index) => index + 1);

describe('migrate', () => {
  let url: string;

  beforeEach(async () => {
    url = await (await sharedPostgres()).createDatabase();
  });
  afterAll(async () => (await sharedPostgres()).stop());

  const rows = async (sql: string): Promise<Record<string, unknown>[]> => (await queryOnce(url, sql)).rows;
  const tables = async (): Promise<unknown[]> =>
    (await rows(`SELECT tablename FROM pg_tables WHERE schemaname = '${SCHEMA}' ORDER BY 1`)).map(({ tablename }) => tablename);
  const steps = () => rows(`SELECT * FROM ${SCHEMA}.schema_steps ORDER BY step`);
  const columns = () =>
    rows(`SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
          WHERE table_schema = '${SCHEMA}' ORDER BY 1, 2`);
  const indexes = () => rows(`SELECT indexdef FROM pg_indexes WHERE schemaname = '${SCHEMA}' ORDER BY 1`);

  it('makes the whole schema in an empty database, beside whatever else there is', async () => {
    await queryOnce(url, 'CREATE TABLE tasks (of_somebody_else text)');
    await migrate(url);
    expect(await tables()).toEqual(TABLES);
    expect(await rows('SELECT * FROM public.tasks')).toEqual([]);
  });

  it('is done once by ten replicas that start at once, with the schema of their queue', async () => {
    const start = async (): Promise<PgBoss> => {
      await migrate(url);
      return new PgBoss({ connectionString: url, schema: JOBS_SCHEMA, max: 2, supervise: false, schedule: false }).start();
    };
    const started = await Promise.allSettled(Array.from({ length: 10 }, start));
    expect(started.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 'fulfilled'));
    for (const each of started) if (each.status === 'fulfilled') await each.value.stop({ graceful: false });
    expect([await tables(), (await steps()).map(({ step }) => step)]).toEqual([TABLES, ALL_STEPS]);
  });

  it('is tried from every earlier step', () => {
    expect([...new Set(EARLIER_SCHEMAS.map(({ step }) => step)), STEPS]).toEqual(ALL_STEPS);
  });

  it.each(EARLIER_SCHEMAS)('brings $title to the schema of a new database, and keeps its rows', async (schema) => {
    await migrate(url);
    const made = [await columns(), await indexes()];
    url = await (await sharedPostgres()).createDatabase();
    await fillEarlier(url, schema, 'http://e');
    const before = await rows(`SELECT * FROM ${SCHEMA}.tasks ORDER BY id`);
    await migrate(url);
    expect([await columns(), await indexes()]).toEqual(made);
    expect((await steps()).map(({ step }) => step)).toEqual(ALL_STEPS);
    const after = await rows(`SELECT * FROM ${SCHEMA}.tasks ORDER BY id`);
    expect(after.map(({ id }) => id)).toEqual([OLD_TASKS.done, OLD_TASKS.queued]);
    expect(after).toEqual(before.map((row) => ({ ...row, caller: '' })));
  });

  it('changes nothing when all steps are taken', async () => {
    await migrate(url);
    await queryOnce(url, `INSERT INTO ${SCHEMA}.task_totals (slot, success) VALUES (1, 5)`);
    const before = [await columns(), await steps()];
    await migrate(url);
    expect([await columns(), await steps()]).toEqual(before);
    expect(await rows(`SELECT success FROM ${SCHEMA}.task_totals`)).toEqual([{ success: '5' }]);
  });

  it('refuses a newer schema that it cannot run beside', async () => {
    await migrate(url);
    await queryOnce(url, `INSERT INTO ${SCHEMA}.schema_steps (step, oldest_reader) VALUES (1000, 1000)`);
    const before = await columns();
    await expect(migrate(url)).rejects.toThrow(NewerSchemaError);
    expect(await columns()).toEqual(before);
  });

  it('runs beside a newer schema that only adds, as in a rolling update', async () => {
    await migrate(url);
    await queryOnce(url, `INSERT INTO ${SCHEMA}.schema_steps (step, oldest_reader) VALUES (1000, 1)`);
    await migrate(url);
    expect((await steps()).map(({ step }) => step)).toEqual([...ALL_STEPS, 1000]);
  });

  it('leaves nothing half done when its connection breaks in the middle', async () => {
    await queryOnce(url, `CREATE SCHEMA ${SCHEMA}`);
    const other = new Client({ connectionString: url });
    await other.connect();
    await other.query(`BEGIN; CREATE TABLE ${SCHEMA}.droplets (in_the_way text)`);
    const migration = migrate(url).catch((error: unknown) => error);
    const waiting = "application_name = 'orchestrator migration' AND wait_event_type = 'Lock'";
    await until(async () => (await rows(`SELECT 1 FROM pg_stat_activity WHERE ${waiting}`)).length > 0);
    await queryOnce(url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${waiting}`);
    expect(await migration).toBeInstanceOf(Error);
    await other.query('ROLLBACK');
    await other.end();
    expect(await tables()).toEqual([]);
    await migrate(url);
    expect([await tables(), (await steps()).length]).toEqual([TABLES, STEPS]);
  });
});
