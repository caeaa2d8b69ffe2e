// What a task costs PostgreSQL, and what a replica does: the first table of docs/operations.md. Three replicas on an embedded
// PostgreSQL of its own; `npm run build` first. Counts and sizes, no times: those of a busy machine are as good as any.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { endAll, start } from '../../demo/children.mjs';
import { startPostgres } from '../../demo/postgres.mjs';

const TASKS = Number(process.argv[2] ?? 20_000);
const ALONE = 300;
const CLIENTS = 32;
/** PostgreSQL publishes the statistics of an idle connection after 10 s. */
const STATISTICS_MS = 11_000;
const IDLE_MS = 20_000;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const tell = (name, value) => console.log(`${name.padEnd(52)} ${value}`);

const folder = mkdtempSync(path.join(tmpdir(), 'footprint-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
const droplet = http.createServer((request, response) => request.resume().on('end', () => response.end('{"ok":true}')));
droplet.listen(0, '127.0.0.1');

const postgres = await startPostgres(folder);
const environment = (url) => ({ DATABASE_URL: postgres.url, PUBLIC_URL: url, CACHE_DIR: folder, LOG_LEVEL: 'warn' });
const startReplica = (number) => start(`replica-${number}`, ['dist/main.js'], folder, environment);
const replicas = await Promise.all([1, 2, 3].map(startReplica));
const client = new pg.Client({ connectionString: postgres.url, application_name: 'footprint' });
await client.connect();
const query = async (sql) => (await client.query(sql)).rows;

let turn = 0;
async function post(route, body, headers = {}) {
  const { url } = replicas[turn++ % replicas.length];
  const answer = await fetch(url + route, {
    ...{ method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } },
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
}

const submit = (headers) =>
  post('/orchestrator/tasks', { droplet_name: 'echo', method: 'POST', path: '/x', payload: { order: turn } }, headers);
const ASYNC = { prefer: 'respond-async' };

async function allFinal() {
  while ((await query('SELECT 1 FROM orchestrator.tasks WHERE completed_at IS NULL LIMIT 1')).length > 0) await sleep(200);
}

async function counters() {
  await sleep(STATISTICS_MS);
  const [row] = await query(`
    SELECT pg_current_wal_lsn() - '0/0'::pg_lsn AS log, xact_commit AS transactions,
      (SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal') AS flushes,
      (SELECT json_object_agg(relname, json_build_array(n_tup_ins, n_tup_upd, n_tup_del)) FROM pg_stat_user_tables
        WHERE relname IN ('tasks', 'job_common', 'task_totals')) AS rows
    FROM pg_stat_database WHERE datname = current_database()`);
  return { ...row, at: performance.now() };
}

/** Does `work` and tells what it cost, per task. */
async function measure(name, tasks, work) {
  const before = await counters();
  await work();
  await allFinal();
  const after = await counters();
  const each = (key) => ((after[key] - before[key]) / tasks).toFixed(2);
  tell(name, `${each('flushes')} flushes, ${each('transactions')} transactions, ${(each('log') / 1000).toFixed(1)} KB of log`);
  for (const [table, counts] of Object.entries(after.rows)) {
    const [inserted, updated, deleted] = counts.map((count, index) => ((count - before.rows[table][index]) / tasks).toFixed(2));
    tell(`  rows of ${table}`, `${inserted} inserted, ${updated} updated, ${deleted} deleted`);
  }
}

async function alone(headers) {
  for (let count = 0; count < ALONE; count++) await Promise.all([submit(headers), sleep(60)]);
}

async function crowd(headers) {
  let left = TASKS;
  const submitAll = async () => {
    while (left-- > 0) await submit(headers);
  };
  await Promise.all(Array.from({ length: CLIENTS }, submitAll));
}

const residentOf = ({ pid }) => 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
const resident = () => replicas.map((replica) => mib(residentOf(replica))).join(', ');

/** The memory that connections do not share, as the system counts it. */
function tellConnections() {
  const lines = execFileSync('ps', ['-A', '-o', 'pid,args'], { encoding: 'utf8' }).split('\n');
  const pids = lines.filter((line) => /postgres: postgres postgres 127/.test(line)).map((line) => parseInt(line, 10));
  const bytes = pids.map(
    (pid) => 1024 * Number(/Private_Dirty:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]),
  );
  const average = bytes.reduce((sum, each) => sum + each, 0) / bytes.length;
  tell('memory of a connection, average and most', `${mib(average)}, ${mib(Math.max(...bytes))} of ${bytes.length}`);
}

async function tellSizes(name) {
  const [{ tasks, jobs, count, texts }] = await query(`
    SELECT pg_total_relation_size('orchestrator.tasks') AS tasks, pg_total_relation_size('orchestrator_jobs.job_common') AS jobs,
      (SELECT count(*) FROM orchestrator.tasks) AS count, (SELECT avg(bytes)::integer FROM orchestrator.tasks) AS texts`);
  tell(
    name,
    `${mib(tasks)} for ${count} records: ${Math.round(tasks / count)} bytes each, texts ${texts}; the queue ${mib(jobs)}`,
  );
}

try {
  await post('/register', { name: 'echo', url: `http://127.0.0.1:${droplet.address().port}` });
  await sleep(5000);
  tell('memory of the idle replicas', resident());
  const before = await counters();
  await sleep(IDLE_MS);
  const after = await counters();
  const perSecond = (key) => (after[key] - before[key]) / replicas.length / ((after.at - before.at) / 1000);
  tell(
    'an idle replica, per second',
    `${perSecond('transactions').toFixed(1)} transactions, ${perSecond('log').toFixed(0)} B of log`,
  );
  await measure('synchronous, one at a time', ALONE, () => alone({}));
  await measure('asynchronous, one at a time', ALONE, () => alone(ASYNC));
  await measure(`synchronous, ${CLIENTS} clients`, TASKS, () => crowd({}));
  await query('VACUUM FULL orchestrator.tasks');
  await tellSizes('at rest');
  await query('TRUNCATE orchestrator.tasks');
  await measure(`asynchronous, ${CLIENTS} clients`, TASKS, () => crowd(ASYNC));
  await tellSizes('after the burst');
  tell('memory of the replicas', resident());
  tellConnections();
} finally {
  droplet.close();
  await client.end();
  await endAll();
}
