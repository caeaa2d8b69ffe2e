// Measures what a synchronous task costs with more and more stored tasks, and with more and more droplets, each time beside the raw limit:
// `npm run build && node test/bench/curve.mjs [rounds]`.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { median } from './figures.mjs';
import { fill } from './million.fill.mjs';
import { end, newFolder } from './processes.mjs';
import { load, startLimit, startOurs, taskFor, WARM_UPS } from './side.by.side.mjs';

const ROUNDS = Number(process.argv[2] ?? 5);
const CONNECTIONS = 32;
const STORED = [10, 1000, 10_000, 100_000, 1_000_000];
const DROPLETS = [5, 50, 500, 5000];

const namesOf = (count) => Array.from({ length: count }, (_, number) => `droplet-${number}`);

function folderWith(tasks) {
  const folder = newFolder();
  mkdirSync(path.join(folder, 'data'));
  fill(path.join(folder, 'data/orchestrator.db'), { tasks, waiting: 0 });
  return folder;
}

/** The limit is sent the same bodies: thousands of different ones slow the client itself down. */
async function besideTheLimit(setup, server, bodies) {
  const limit = await load(setup, setup.limit, { connections: CONNECTIONS, bodies });
  const { perSecond, cpuUs } = await load(setup, server, { connections: CONNECTIONS, bodies });
  return { cpuUs, cpu: cpuUs / limit.cpuUs, share: (100 * perSecond) / limit.perSecond };
}

/** All points of a curve run at once and are loaded in turn, so that each round compares them with each other and with the limit. */
async function curve(setup, points) {
  const servers = [];
  for (const { names, folder } of points) {
    const bodies = names.map((name) => JSON.stringify(taskFor(name)));
    servers.push({ ...(await startOurs(setup, names, folder)), bodies });
  }
  const rounds = [];
  for (let number = 0; number < WARM_UPS + ROUNDS; number++) {
    const figures = [];
    for (const { bodies, ...server } of servers) figures.push(await besideTheLimit(setup, server, bodies));
    if (number >= WARM_UPS) rounds.push(figures);
  }
  for (const { child } of servers) await end(child);
  return points.map((_, index) => ({
    ...Object.fromEntries(['cpuUs', 'cpu', 'share'].map((name) => [name, median(rounds.map((figures) => figures[index][name]))])),
  }));
}

function table(title, counts, figures) {
  const line = ({ cpuUs, cpu, share }, index) =>
    `| ${counts[index]} | ${cpuUs.toFixed(0)} µs | ${cpu.toFixed(2)} times | ${share.toFixed(0)} % |`;
  return [
    `| ${title} | CPU a task | of the limit's | throughput, of the limit's |`,
    '|---|---|---|---|',
    ...figures.map(line),
  ].join('\n');
}

const setup = await startLimit();
const byStored = await curve(
  setup,
  STORED.map((tasks) => ({ names: namesOf(5), folder: folderWith(tasks) })),
);
const byDroplets = await curve(
  setup,
  DROPLETS.map((count) => ({ names: namesOf(count) })),
);
console.log(`${table('stored tasks', STORED, byStored)}\n\n${table('droplets', DROPLETS, byDroplets)}`);
process.exit(0);
