import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { startDroplet } from './support/droplet.js';
import { until } from './support/http.client.js';
import { NODE, OrchestratorProcess, ROOT, tempFolder, TestProcess } from './support/process.js';
import type { TestServer } from './support/server.js';

const script = path.join(ROOT, 'dist/backup.js');
const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

async function inTurn<T, R>(list: readonly T[], run: (each: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const each of list) results.push(await run(each));
  return results;
}

describe('npm run backup', () => {
  const processes: OrchestratorProcess[] = [];
  let droplet: TestServer;
  let folder: string;
  let copy: string;

  beforeAll(async () => {
    droplet = await startDroplet();
    folder = tempFolder();
    copy = path.join(folder, 'copy.db');
  });
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((server) => server.remove()));
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await droplet.stop();
  });

  const started = async (environment: Record<string, string> = {}): Promise<OrchestratorProcess> => {
    const server = await OrchestratorProcess.start(environment);
    processes.push(server);
    return server;
  };

  /** What the script of package.json runs, in a server's folder. */
  const backup = (args: readonly string[], environment: Record<string, string> = {}, cwd = folder): TestProcess =>
    new TestProcess(NODE, [script, ...args], { cwd, environment });

  const contents = (file: string): { integrity: unknown; ids: Set<unknown> } => {
    const database = new DatabaseSync(file, { readOnly: true });
    const integrity = database.prepare('PRAGMA integrity_check').get()?.integrity_check;
    const ids = new Set(
      database
        .prepare('SELECT id FROM tasks')
        .all()
        .map(({ id }) => id),
    );
    database.close();
    return { integrity, ids };
  };

  /** Submits tasks side by side until `stop`; those that were acknowledged are in `ids`. */
  const load = (server: OrchestratorProcess) => {
    const ids: string[] = [];
    let isOver = false;
    const payload = 'x'.repeat(500);
    const client = async (headers: Record<string, string>): Promise<void> => {
      while (!isOver) {
        const task = { droplet_name: 'echo', path: '/echo', method: 'POST', payload };
        const { status, json } = await server.task(task, headers);
        expect([200, 202]).toContain(status);
        ids.push(json.task_id as string);
      }
    };
    const clients = Promise.all([{}, { prefer: 'respond-async' }, {}, { prefer: 'respond-async' }].map(client));
    const stop = async (): Promise<void> => {
      isOver = true;
      await clients;
    };
    return { ids, stop };
  };

  it('works as the README shows it, and is the file that the image has too', async () => {
    expect(scripts.backup).toBe('node dist/backup.js');
    expect(existsSync(script)).toBe(true);
    const server = await started();
    const shown = /^npm run backup -- \S+$/m.exec(readFileSync(path.join(ROOT, 'README.md'), 'utf8'))?.[0] ?? '';
    const command = shown.replace('/var/backups/orchestrator.db', copy);
    const environment = { DATABASE_URL: path.join(server.home, 'data/orchestrator.db') };
    const call = new TestProcess('sh', ['-c', command], { cwd: ROOT, environment });
    expect(await call.end()).toEqual({ code: 0, signal: null });
    expect(call.stdout).toContain('"msg":"backup written"');
    expect(readdirSync(folder)).toEqual(['copy.db']);
  });

  it('copies the database of a server under load: every task acknowledged before is there, whole, and a server starts on it', async () => {
    const server = await started({ LOG_LEVEL: 'error' });
    await server.post('/register', { name: 'echo', url: droplet.url });
    // Enough pages that the server writes while they are copied.
    const waiting = { droplet_name: 'echo', path: '/echo', method: 'POST', payload: 'y'.repeat(8000), delay_ms: 86_400_000 };
    for (let batch = 0; batch < 4; batch++) {
      const { json } = await server.post('/orchestrator/tasks/batch', { tasks: Array.from({ length: 1000 }, () => waiting) });
      expect(json.accepted).toBe(1000);
    }
    const { ids, stop } = load(server);
    await until(() => ids.length > 200, 20_000);

    // Several, for a copy that misses what stands in the log only is not wrong at every moment.
    const copies = await inTurn([1, 2, 3], async (turn) => {
      const file = path.join(folder, `copy-${turn}.db`);
      const before = [...ids];
      const call = backup([file], {}, server.home);
      expect(await call.end()).toEqual({ code: 0, signal: null });
      expect(JSON.parse(call.stdout)).toMatchObject({ level: 'info', msg: 'backup written', file });
      expect(call.stderr).toBe('');
      return { file, before, meanwhile: ids.length - before.length };
    });
    await stop();

    expect(readdirSync(folder)).toEqual(['copy-1.db', 'copy-2.db', 'copy-3.db']);
    for (const { file, before, meanwhile } of copies) {
      expect(meanwhile).toBeGreaterThan(0);
      const found = contents(file);
      expect(found.integrity).toBe('ok');
      expect(before.filter((id) => !found.ids.has(id))).toEqual([]);
    }
    expect((await server.get('/orchestrator/health/ready')).status).toBe(200);
    expect((await server.leave()).code).toBe(0);

    const { file: copied, before } = copies[2]!;
    const second = await started({ DATABASE_URL: copied, LOG_LEVEL: 'error' });
    const missing: string[] = [];
    for (const id of before) {
      const { status } = await second.get(`/orchestrator/tasks/${id}`);
      if (status !== 200) missing.push(id);
    }
    expect(missing).toEqual([]);
    const { json } = await second.get('/orchestrator/tasks?status=queued&limit=1');
    expect(json.total).toBeGreaterThanOrEqual(4000);
    // What was waiting or cut off in the copy is not stuck there.
    await until(async () => (await second.get('/orchestrator/tasks?status=running&limit=1')).json.total === 0, 20_000);
    const after = await second.task({ droplet_name: 'echo', path: '/echo' });
    expect(after.json).toMatchObject({ status: 'success', recorded: true });
  }, 90_000);

  it('copies the database that a killed server left', async () => {
    const server = await started();
    const { json } = await server.task({ droplet_name: 'orchestrator', path: '/health' });
    await server.process.kill();
    expect((await backup([copy], {}, server.home).end()).code).toBe(0);
    const second = await started({ DATABASE_URL: copy });
    expect((await second.get(`/orchestrator/tasks/${String(json.task_id)}`)).json.status).toBe('success');
  });

  it('reads DATABASE_URL as the server does, from .env too', async () => {
    const server = await started({ DATABASE_URL: 'elsewhere.db' });
    writeFileSync(path.join(server.home, '.env'), 'DATABASE_URL=elsewhere.db\n');
    expect((await backup(['copy.db'], {}, server.home).end()).code).toBe(0);
    expect(contents(path.join(server.home, 'copy.db')).integrity).toBe('ok');
  });

  it.each<[string, string[], Record<string, string>, RegExp]>([
    [
      'a PostgreSQL, and names pg_dump',
      ['copy.db'],
      { DATABASE_URL: 'postgres://me:hunter2@nowhere/db' },
      /use pg_dump --format=custom/,
    ],
    ['a database in memory', ['copy.db'], { DATABASE_URL: ':memory:' }, /nobody else can read/],
    ['a command without a file', [], {}, /npm run backup -- FILE$/],
    ['a place where no database is', ['copy.db'], {}, /There is no database/],
    ['a file that exists already', ['taken.db'], { DATABASE_URL: 'taken.db' }, /taken\.db exists already: name a new file$/],
    ['a setting that the server would refuse', ['copy.db'], { DATABASE_URL: 'mysql://me:hunter2@db' }, /^DATABASE_URL must be/],
  ])('refuses %s, in one line and with code 1', async (_what, args, environment, says) => {
    writeFileSync(path.join(folder, 'taken.db'), 'precious');
    const call = backup(args, environment);
    expect(await call.end()).toEqual({ code: 1, signal: null });
    expect(call.lines).toHaveLength(1);
    expect(JSON.parse(call.lines[0]!).msg).toMatch(says);
    expect(call.lines[0]).not.toContain('hunter2');
    expect(readdirSync(folder)).toEqual(['taken.db']);
    expect(readFileSync(path.join(folder, 'taken.db'), 'utf8')).toBe('precious');
  });
});
