import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { migrate } from '../src/storage/sqlite/migrations.js';
import { OrchestratorProcess, tempFolder } from './support/process.js';

const ROWS = 20_000;
const OURS = 0x4f524348;

/** Notes each step of a migration as it is taken. */
class Recorder extends DatabaseSync {
  readonly steps: string[] = [];

  override exec(sql: string): void {
    this.steps.push(sql);
    super.exec(sql);
  }
}

function allSteps(): string[] {
  const database = new Recorder(':memory:');
  migrate(database);
  database.close();
  return database.steps;
}

const STEPS = allSteps();
/** Every version that ever was, but the newest. */
const EARLIER = STEPS.map((_, index) => index).slice(1);
const POINTS = ['half', 'whole', 'committed'];

/** A store as an earlier version left it, full of tasks. */
function earlierStore(version: number): string {
  const home = tempFolder();
  mkdirSync(path.join(home, 'data'));
  const database = new DatabaseSync(fileIn(home));
  database.exec(`PRAGMA application_id = ${OURS}; PRAGMA journal_mode = WAL`);
  for (const step of STEPS.slice(0, version)) database.exec(step);
  database.exec(`
    INSERT INTO tasks (id, droplet_name, droplet_key, target_url, method, path, status, response_status, response_body,
      retry_count, attempts, created_at, completed_at, duration_ms, priority, history)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
    SELECT 'old-' || i, 'Echo', 'echo', 'http://e/', 'GET', '/', 'error', 503, '{"v":1.0}', 3, 3,
      unixepoch() * 1000, unixepoch() * 1000, 7, 5, '[]' FROM n;
    UPDATE task_totals SET error = ${ROWS}, retries = ${3 * ROWS}`);
  database.close();
  return home;
}

const fileIn = (home: string): string => path.join(home, 'data/orchestrator.db');

function look(home: string): { version: number; integrity: unknown; rows: number } {
  const database = new DatabaseSync(fileIn(home));
  const first = (sql: string): unknown => Object.values(database.prepare(sql).get() ?? {})[0];
  const version = Number(first('PRAGMA user_version'));
  const seen = { version, integrity: first('PRAGMA integrity_check'), rows: Number(first('SELECT COUNT(*) FROM tasks')) };
  database.close();
  return seen;
}

describe('a database that an earlier version has left', () => {
  const processes: OrchestratorProcess[] = [];

  afterEach(async () => {
    for (const server of processes.splice(0)) await server.remove();
  });

  const life = async (home: string, environment: Record<string, string> = {}): Promise<OrchestratorProcess> => {
    const server = await OrchestratorProcess.spawn({ TASK_MAX_HISTORY: '100000', LOG_LEVEL: 'warn', ...environment }, home);
    processes.push(server);
    return server;
  };

  /** Starts on what is there, as an update would. */
  async function expectServed(home: string): Promise<void> {
    const server = await OrchestratorProcess.start({ TASK_MAX_HISTORY: '100000', LOG_LEVEL: 'warn' }, home);
    processes.push(server);
    const { json } = await server.get('/orchestrator/tasks/old-1');
    expect(json).toMatchObject({ id: 'old-1', status: 'error', response_status: 503, attempts: 3, duration_ms: 7, run_at: null });
    expect((await server.get('/orchestrator/tasks?limit=1')).json.total).toBe(ROWS);
    expect((await server.get('/orchestrator/metrics')).json.tasks.error).toBe(ROWS);
    expect((await server.task({ droplet_name: 'orchestrator', path: '/health' })).json.status).toBe('success');
    expect(await server.leave()).toEqual({ code: 0, signal: null });
    expect(look(home)).toEqual({ version: STEPS.length, integrity: 'ok', rows: ROWS + 1 });
  }

  it.each(EARLIER)('version %d: every task is there, and new ones run', async (version) => {
    await expectServed(earlierStore(version));
  });

  it.each(EARLIER.flatMap((version) => POINTS.map((point) => [version, point] as const)))(
    'version %d, and the process is killed in the next step (%s): nothing is lost, and the next start goes on',
    async (version, point) => {
      const home = earlierStore(version);
      const preload = path.join(import.meta.dirname, 'crash/cut.mjs');
      const trap = { NODE_OPTIONS: `--import ${preload}`, CUT_STEP: String(version + 1), CUT_AT: point };
      const killed = await life(home, trap);
      expect(await killed.process.end()).toEqual({ code: null, signal: 'SIGKILL' });
      expect(killed.lines).toEqual([`died: ${point}`]);
      expect(look(home)).toEqual({ version: point === 'committed' ? version + 1 : version, integrity: 'ok', rows: ROWS });
      await expectServed(home);
    },
  );
});
