// Measures asynchronous tasks beside the raw limit, in interleaved rounds: `npm run bench:async [rounds]`.
import { once } from 'node:events';
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { median } from './figures.mjs';
import { idle } from './idle.mjs';
import { ask, end, newFolder, startOrchestrator, startScript } from './processes.mjs';

const ROUNDS = Number(process.argv[2] ?? 3);
const SECONDS = 4;
const CONNECTIONS = 32;
const TASKS = 10_000;
const BURST = { tasks: 10_000, connections: 500 };
const TASK = {
  ...{ droplet_name: 'echo', method: 'POST', path: '/work', meta: { team: 'bench' } },
  payload: { order: 4711, lines: [{ sku: 'a-1', count: 2 }], note: 'a payload of a usual size, about two hundred bytes in all' },
};
const BODY = JSON.stringify(TASK);

const fire = ({ client }, { url, ...options }) =>
  ask(client, { url, body: BODY, prefer: 'respond-async', connections: CONNECTIONS, ...options });

async function raw(setup) {
  const { perSecond } = await fire(setup, { url: setup.bare, duration: SECONDS });
  return { raw: perSecond };
}

/** Accepted and durable in the second, with the worker running beside; then waits until nothing is left. */
async function accepted(setup) {
  const { perSecond, refused, p99 } = await fire(setup, { url: setup.tasks, duration: SECONDS });
  if (refused > 0) throw new Error(`${refused} tasks were refused`);
  await drained(setup);
  return { accepted: perSecond, acceptedP99: p99 };
}

/** From the first POST until every one of so many tasks is final. */
async function throughout(setup, count, connections) {
  const before = await finished(setup);
  const startedAt = performance.now();
  setup.droplet.send({ awaitCalls: count });
  const called = once(setup.droplet, 'message');
  const client = fire(setup, { url: setup.tasks, amount: count, connections });
  await called;
  while ((await finished(setup)) < before + count) await new Promise((resolve) => setTimeout(resolve, 2));
  const seconds = (performance.now() - startedAt) / 1000;
  return { seconds, client: await client };
}

async function endToEnd(setup) {
  const { seconds } = await throughout(setup, TASKS, CONNECTIONS);
  return { endToEnd: TASKS / seconds };
}

async function burst(setup) {
  await ask(setup.orchestrator.child, 'loop:start');
  const { seconds, client } = await throughout(setup, BURST.tasks, BURST.connections);
  const { p99, max } = await ask(setup.orchestrator.child, 'loop:stop');
  return {
    burstAcked: client.perSecond,
    burstFinal: BURST.tasks / seconds,
    burstLost: BURST.tasks - client.accepted,
    loopP99: p99,
    loopMax: max,
  };
}

const waits = ({ droplet, tasks }) => idle(droplet, [tasks], () => TASK);

async function finished({ orchestrator }) {
  const { tasks } = await (await fetch(`${orchestrator.url}/metrics`)).json();
  return tasks.total;
}

async function drained({ orchestrator }) {
  for (const status of ['queued', 'running']) {
    const url = `${orchestrator.url}/tasks?limit=1&status=${status}`;
    while ((await (await fetch(url)).json()).total > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** How often a second this disk makes a page durable: each group commit waits for it once. */
function fdatasyncs() {
  const file = openSync(path.join(newFolder(), 'sync'), 'w');
  const end = performance.now() + 500;
  let count = 0;
  for (; performance.now() < end; count++) {
    writeSync(file, Buffer.alloc(4096), 0, 4096, 0);
    fdatasyncSync(file);
  }
  closeSync(file);
  return { fdatasync: count * 2 };
}

async function start() {
  const { child: droplet, told } = await startScript('droplet.mjs');
  const { told: bare } = await startScript('bare.mjs', told.url);
  const { child: client } = await startScript('client.mjs');
  const orchestrator = await startOrchestrator();
  const registration = JSON.stringify({ name: 'echo', id: 77, url: told.url });
  const headers = { 'content-type': 'application/json' };
  await fetch(`${orchestrator.url}/register`, { method: 'POST', headers, body: registration });
  return { droplet, client, orchestrator, bare: bare.url, tasks: `${orchestrator.url}/orchestrator/tasks` };
}

const PARTS = [fdatasyncs, raw, accepted, endToEnd, waits, burst];

async function round(setup) {
  const figures = {};
  for (const part of PARTS) Object.assign(figures, await part(setup));
  return figures;
}

function print(rounds) {
  const all = (name) => rounds.map((figures) => figures[name]);
  const mid = (name) => median(all(name));
  const row = (title, name, unit, target) => {
    const digits = unit === 'ms' ? 1 : 0;
    const share = unit === '/s' && name !== 'fdatasync' ? `${Math.round((100 * mid(name)) / mid('raw'))} %` : '';
    const spread = `${Math.min(...all(name)).toFixed(digits)}–${Math.max(...all(name)).toFixed(digits)}`;
    return `| ${title} | ${mid(name).toFixed(digits)} ${unit} | ${spread} | ${share} | ${target} |`;
  };
  console.log(
    [
      `${cpus().length} cores (${cpus()[0].model}), Node ${process.version}, ${rounds.length} rounds, one at a time`,
      '| | median | range | of the raw limit | target |',
      '|---|---|---|---|---|',
      row('raw limit: the same call, nothing kept', 'raw', '/s', ''),
      row(`accepted and durable, ${CONNECTIONS} connections`, 'accepted', '/s', '≥ 5,000'),
      row(`end to end, ${TASKS} tasks until all are final`, 'endToEnd', '/s', '≥ 3,000'),
      row('from the 202 to the droplet, idle, p50', 'idleP50', 'ms', '< 10'),
      row('from the 202 to the droplet, idle, p99', 'idleP99', 'ms', ''),
      row(`burst of ${BURST.tasks} over ${BURST.connections} connections, accepted`, 'burstAcked', '/s', ''),
      row('the same until all are final', 'burstFinal', '/s', ''),
      row('event-loop delay in the burst, p99', 'loopP99', 'ms', '< 50'),
      row('event-loop delay in the burst, longest', 'loopMax', 'ms', ''),
      row('tasks lost in the burst', 'burstLost', '', '0'),
      row('fdatasync on this disk', 'fdatasync', '/s', ''),
    ].join('\n'),
  );
}

const setup = await start();
await fire(setup, { url: setup.bare, duration: 2 });
await throughout(setup, TASKS, CONNECTIONS);
const rounds = [];
while (rounds.length < ROUNDS) rounds.push(await round(setup));
print(rounds);
await end(setup.orchestrator.child);
process.exit(0);
