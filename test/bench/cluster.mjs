// Measures two replicas on PostgreSQL beside raw pg-boss and one process on SQLite, in interleaved rounds:
// `npm run bench:cluster [rounds]`. TEST_DATABASE_URL names another PostgreSQL than the embedded one.
import { once } from 'node:events';
import { cpus } from 'node:os';
import { endAll } from '../../demo/children.mjs';
import { startPostgres } from '../../demo/postgres.mjs';
import { median, row } from './figures.mjs';
import { idle } from './idle.mjs';
import { ask, end, newFolder, startOrchestrator, startScript } from './processes.mjs';

const ROUNDS = Number(process.argv[2] ?? 3);
const TASKS = 10_000;
const BATCH = 1000;
const SECONDS = 4;
const CONNECTIONS = 32;
/** A mesh of a few services, so that no limit of one of them is measured. */
const DROPLETS = 8;
const HEADERS = { 'content-type': 'application/json' };
const ASYNC = { ...HEADERS, prefer: 'respond-async' };

const taskFor = (number) => ({
  ...{ droplet_name: `echo-${number % DROPLETS}`, method: 'POST', path: '/work', meta: { team: 'bench' } },
  payload: { order: 4711, lines: [{ sku: 'a-1', count: 2 }], note: 'a payload of a usual size, about two hundred bytes in all' },
});
const BODIES = Array.from({ length: DROPLETS }, (_, number) => JSON.stringify(taskFor(number)));
const REQUESTS = BODIES.map((body) => ({ method: 'POST', body }));

const boss = async ({ raw }, bulk) => (await ask(raw, { count: TASKS, bulk })).perSecond;

/** From the first POST until every one of so many tasks has called its droplet. */
async function throughout({ droplet }, submit) {
  const startedAt = performance.now();
  droplet.send({ awaitCalls: TASKS });
  const called = once(droplet, 'message');
  await submit();
  await called;
  return (1000 * TASKS) / (performance.now() - startedAt);
}

/** One task a request, half of them to each replica. */
async function oneByOne({ clients, replicas }) {
  const fired = replicas.map(({ url }, index) => {
    const half = { connections: CONNECTIONS / 2, amount: TASKS / 2 };
    return ask(clients[index], { url: `${url}/tasks`, requests: REQUESTS, headers: ASYNC, ...half });
  });
  for (const { refused } of await Promise.all(fired)) if (refused > 0) throw new Error(`${refused} tasks were refused`);
}

/** A thousand tasks a request, in turn to each replica. */
async function inBatches({ replicas }) {
  const post = async ({ url }) => {
    const tasks = Array.from({ length: BATCH }, (_, number) => taskFor(number));
    const answer = await fetch(`${url}/tasks/batch`, { method: 'POST', headers: HEADERS, body: JSON.stringify({ tasks }) });
    if ((await answer.json()).accepted !== BATCH) throw new Error('tasks were refused');
  };
  const share = async (replica) => {
    for (let sent = 0; sent < TASKS / replicas.length; sent += BATCH) await post(replica);
  };
  await Promise.all(replicas.map(share));
}

/** Synchronous tasks a second of one process. */
async function synchronous({ clients }, { url }) {
  const options = { requests: REQUESTS, headers: HEADERS, connections: CONNECTIONS, duration: SECONDS };
  const { perSecond } = await ask(clients[0], { url: `${url}/tasks`, ...options });
  return perSecond;
}

const taskUrls = ({ replicas }) => replicas.map(({ url }) => `${url}/tasks`);

async function drained({ replicas: [{ url }] }) {
  for (const status of ['queued', 'running']) {
    const look = async () => (await (await fetch(`${url}/tasks?limit=1&status=${status}`)).json()).total;
    while ((await look()) > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function register(url, droplet) {
  for (let number = 0; number < DROPLETS; number++) {
    const body = JSON.stringify({ name: `echo-${number}`, id: 70 + number, url: droplet });
    await fetch(`${url}/register`, { method: 'POST', headers: HEADERS, body });
  }
}

async function start() {
  const { TEST_DATABASE_URL: given } = process.env;
  const database = given ?? (await startPostgres(newFolder())).url;
  const { child: droplet, told } = await startScript('droplet.mjs');
  const clients = [await startScript('client.mjs'), await startScript('client.mjs')].map(({ child }) => child);
  const { child: raw } = await startScript('boss.mjs', database);
  const replicas = [await startOrchestrator(undefined, { DATABASE_URL: database })];
  replicas.push(await startOrchestrator(undefined, { DATABASE_URL: database }));
  const alone = await startOrchestrator();
  await register(replicas[0].url, told.url);
  await register(alone.url, told.url);
  return { droplet, clients, raw, replicas, alone };
}

async function round(setup) {
  const figures = {
    bossOne: await boss(setup, false),
    taskOne: await throughout(setup, () => oneByOne(setup)),
  };
  await drained(setup);
  figures.bossBulk = await boss(setup, true);
  figures.taskBulk = await throughout(setup, () => inBatches(setup));
  await drained(setup);
  figures.syncSqlite = await synchronous(setup, setup.alone);
  figures.syncPostgres = await synchronous(setup, setup.replicas[0]);
  return { ...figures, ...(await idle(setup.droplet, taskUrls(setup), taskFor)) };
}

const setup = await start();
await throughout(setup, () => oneByOne(setup));
await drained(setup);
for (const server of [setup.alone, setup.replicas[0]]) await synchronous(setup, server);
const rounds = [];
while (rounds.length < ROUNDS) rounds.push(await round(setup));
const share = (part, whole) => `${Math.round(median(rounds.map((figures) => (100 * figures[part]) / figures[whole])))} %`;
console.log(
  [
    `${cpus().length} cores (${cpus()[0].model}), Node ${process.version}, ${rounds.length} rounds, one at a time`,
    '| | median | range | share | target |',
    '|---|---|---|---|---|',
    row(rounds, { title: `raw pg-boss, ${TASKS} jobs one by one, end to end`, name: 'bossOne' }),
    row(rounds, {
      title: 'two replicas, as many tasks one by one',
      name: 'taskOne',
      share: share('taskOne', 'bossOne'),
      target: '≥ 35 %',
    }),
    row(rounds, { title: `raw pg-boss, ${BATCH} jobs at a time, end to end`, name: 'bossBulk' }),
    row(rounds, {
      title: 'two replicas, batches of as many',
      name: 'taskBulk',
      share: share('taskBulk', 'bossBulk'),
    }),
    row(rounds, { title: `synchronous on SQLite, ${CONNECTIONS} connections`, name: 'syncSqlite' }),
    row(rounds, {
      title: 'synchronous on PostgreSQL, one replica',
      name: 'syncPostgres',
      share: share('syncPostgres', 'syncSqlite'),
      target: '≥ 70 %',
    }),
    row(rounds, { title: 'from the 202 to the droplet, idle, p50', name: 'idleP50', unit: 'ms', target: '< 20' }),
    row(rounds, { title: 'from the 202 to the droplet, idle, p99', name: 'idleP99', unit: 'ms' }),
  ].join('\n'),
);
await Promise.all([...setup.replicas, setup.alone].map(({ child }) => end(child)));
await endAll();
process.exit(0);
