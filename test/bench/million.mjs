// Measures reads, retention and the start on a million stored tasks: `npm run build && node test/bench/million.mjs [tasks]`.
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fill } from './million.fill.mjs';
import { ask, end, newFolder, startOrchestrator } from './processes.mjs';

const TASKS = Number(process.argv[2] ?? 1_000_000);
const WAITING = 10_000;
const TIMES = 15;
/** For some seconds V8 still collects what the start has left: 1.7 % in the first ten. */
const SETTLE_MS = 15_000;
const IDLE_MS = 10_000;
/** `getconf CLK_TCK` of every Linux. */
const TICK_MS = 10;

const rows = [];
const show = (title, value, target) => rows.push(`| ${title} | ${value} | ${target} |`);

async function timed(work) {
  const start = performance.now();
  const result = await work();
  return { ms: performance.now() - start, result };
}

async function json(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** Median and longest of some reads over HTTP, one after the other. */
async function measure(title, url) {
  const all = [];
  let found = {};
  for (let time = 0; time < TIMES; time++) {
    const { ms, result } = await timed(() => json(url));
    all.push(ms);
    found = result;
  }
  const sorted = all.toSorted((a, b) => a - b);
  const total = found.total === undefined ? '' : ` (${found.total_exact === false ? 'over ' : ''}${found.total})`;
  show(`${title}${total}`, `${sorted[Math.floor(TIMES / 2)].toFixed(1)} / ${sorted.at(-1).toFixed(1)} ms`, '< 20');
}

async function reads({ url }, { firstAt, lastAt }) {
  const tasks = `${url}/tasks`;
  const at = (share) => Math.floor((firstAt + (lastAt - firstAt) * share) / 1000);
  const deep = (await json(`${tasks}?limit=1&created_before=${at(0.02)}`)).next_cursor;
  const filters = {
    status: 'status=error',
    'status, few': 'status=cancelled',
    droplet: 'droplet_name=Echo',
    'droplet, few': 'droplet_name=rare',
    after: `created_after=${at(0.5)}`,
    before: `created_before=${at(0.5)}`,
    'meta, many': 'meta.team=team-7',
    'meta, one': 'meta.order=4711',
    'cursor deep inside': `cursor=${deep}`,
  };
  const names = Object.keys(filters);
  const kind = (name) => name.split(',')[0];
  await measure('get by id', `${tasks}/${deep}`);
  await measure('list', tasks);
  await measure('list, limit 1000', `${tasks}?limit=1000`);
  for (const name of names) await measure(name, `${tasks}?${filters[name]}`);
  for (const [index, one] of names.entries()) {
    for (const other of names.slice(index + 1)) {
      const isPair = kind(one) !== kind(other);
      if (isPair) await measure(`${one} + ${other}`, `${tasks}?${filters[one]}&${filters[other]}`);
    }
  }
  await measure('meta, many + meta, one', `${tasks}?meta.team=team-${7}&meta.order=4711`);
  await measure('status + droplet + after', `${tasks}?status=error&droplet_name=echo&created_after=${at(0.5)}`);
  await measure('status + droplet + meta', `${tasks}?status=error&droplet_name=echo&meta.team=team-7`);
}

async function idle({ child }) {
  const ticks = () => {
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return Number(fields[11]) + Number(fields[12]);
  };
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const before = ticks();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  return `${(((ticks() - before) * TICK_MS * 100) / IDLE_MS).toFixed(1)} %`;
}

/** Removes one task in fifty; meanwhile a write a time, and the event loop, tell how long they were held. */
async function retention(folder) {
  const orchestrator = await startOrchestrator(folder, { TASK_MAX_HISTORY: String(Math.floor(TASKS * 0.98)) });
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ droplet_name: 'orchestrator', path: '/health', delay_ms: 3_600_000 });
  await ask(orchestrator.child, 'loop:start');
  const writes = [];
  const start = performance.now();
  for (let total = Infinity; total > TASKS * 0.98;) {
    writes.push(
      (await timed(async () => (await fetch(`${orchestrator.url}/tasks`, { method: 'POST', headers, body })).text())).ms,
    );
    ({ total } = await json(`${orchestrator.url}/tasks?limit=1`));
  }
  const perSecond = (TASKS * 0.02) / ((performance.now() - start) / 1000);
  const { p99, max } = await ask(orchestrator.child, 'loop:stop');
  writes.sort((a, b) => a - b);
  show(
    `retention of ${TASKS * 0.02} tasks: longest wait of ${writes.length} writes beside it`,
    `${writes.at(-1).toFixed(1)} ms`,
    '< 50',
  );
  show('the same: event-loop delay p99 / longest', `${p99.toFixed(1)} / ${max.toFixed(1)} ms`, '< 50');
  show('the same: tasks removed', `${Math.round(perSecond)} /s`, '');
  await end(orchestrator.child);
}

const empty = await startOrchestrator();
show('start on an empty database', `${Math.round(empty.startedMs)} ms`, '');
show('CPU with an empty queue', await idle(empty), '< 1 %');
await end(empty.child);

const folder = newFolder();
mkdirSync(path.join(folder, 'data'));
const file = path.join(folder, 'data/orchestrator.db');
const filled = await timed(() => fill(file, { tasks: TASKS, waiting: WAITING }));
show(`filled with ${TASKS} tasks`, `${Math.round(filled.ms / 1000)} s, ${Math.round(statSync(file).size / 1e6)} MB`, '');

const full = await startOrchestrator(folder);
show(`start on ${TASKS} tasks`, `${Math.round(full.startedMs)} ms`, '');
show(`CPU with ${WAITING} tasks that wait for a far time`, await idle(full), '< 1 %');
await reads(full, filled.result);
await end(full.child);
await retention(folder);
console.log(['| | median / longest | target |', '|---|---|---|', ...rows].join('\n'));
process.exit(0);
