// Measures synchronous tasks beside the raw limit, in interleaved rounds: `npm run bench [rounds]`. `npm run bench:check` compares
// with the shares in baseline.json instead, and fails when one is worse by more than 15 %; `--write` makes them the new ones.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { median } from './figures.mjs';
import { ask, end, residentMib } from './processes.mjs';
import { load, startLimit, startOurs, taskFor, WARM_UPS } from './side.by.side.mjs';

/** Neighbours of a virtual machine halve its speed for seconds: of five rounds, the median was still theirs. */
const DEFAULT_ROUNDS = 9;
/** V8 compiles each process its own way, for its whole life: of eight of one build one took 96 µs a task, the others 80 to 88. */
const ROUNDS_OF_ONE = 3;

const [command = String(DEFAULT_ROUNDS), ...flags] = process.argv.slice(2);
const IS_CHECK = command === 'check';
const ROUNDS = IS_CHECK ? DEFAULT_ROUNDS : Number(command);
const BASELINE = path.join(import.meta.dirname, 'baseline.json');
const TOLERANCE = 0.15;
const TASK = JSON.stringify(taskFor('echo'));

const one = ({ client }, { url }) => ask(client, { url, body: TASK, one: 2000 });

async function round(setup) {
  const { limit, ours } = setup;
  const figures = {};
  for (const connections of [32, 256]) {
    figures[`limit${connections}`] = await load(setup, limit, { connections, bodies: [TASK] });
    await ask(ours.child, 'loop:start');
    figures[`ours${connections}`] = await load(setup, ours, { connections, bodies: [TASK] });
    const { p99 } = await ask(ours.child, 'loop:stop');
    figures[`loop${connections}`] = p99;
  }
  figures.limitOne = await one(setup, limit);
  figures.oursOne = await one(setup, ours);
  figures.memory = residentMib(ours.child);
  return figures;
}

/** What is compared: shares and differences within a round, never bare figures. */
function shares(rounds) {
  const mid = (pick) => median(rounds.map(pick));
  return {
    throughput32: mid(({ limit32, ours32 }) => ours32.perSecond / limit32.perSecond),
    throughput256: mid(({ limit256, ours256 }) => ours256.perSecond / limit256.perSecond),
    cpu32: mid(({ limit32, ours32 }) => ours32.cpuUs / limit32.cpuUs),
    cpu256: mid(({ limit256, ours256 }) => ours256.cpuUs / limit256.cpuUs),
  };
}

function print(rounds) {
  const line = (title, pick, unit, target = '') => {
    const all = rounds.map(pick);
    const text = (value) => value.toFixed(unit === 'ms' || unit === 'times' ? 2 : 0);
    return `| ${title} | ${text(median(all))} ${unit} | ${text(Math.min(...all))}–${text(Math.max(...all))} | ${target} |`;
  };
  const percent = (share) => 100 * share;
  console.log(
    [
      `${cpus().length} cores (${cpus()[0].model}), Node ${process.version}, ${rounds.length} rounds, ${ROUNDS_OF_ONE} a process`,
      '| | median | range | target |',
      '|---|---|---|---|',
      line('limit, 32 connections', ({ limit32 }) => limit32.perSecond, '/s'),
      line('synchronous and durable, 32 connections', ({ ours32 }) => ours32.perSecond, '/s'),
      line('share of the limit', ({ limit32, ours32 }) => percent(ours32.perSecond / limit32.perSecond), '%', '≥ 40'),
      line('CPU a task, limit', ({ limit32 }) => limit32.cpuUs, 'µs'),
      line('CPU a task', ({ ours32 }) => ours32.cpuUs, 'µs'),
      line('CPU a task, of the limit', ({ limit32, ours32 }) => ours32.cpuUs / limit32.cpuUs, 'times', '≤ 2.6'),
      line('256 connections', ({ ours256 }) => ours256.perSecond, '/s'),
      line(
        'share of the limit with 256',
        ({ limit256, ours256 }) => percent(ours256.perSecond / limit256.perSecond),
        '%',
        'as with 32',
      ),
      line(
        'CPU a task with 256, of the limit with 256',
        ({ limit256, ours256 }) => ours256.cpuUs / limit256.cpuUs,
        'times',
        'as with 32',
      ),
      line('CPU a task with 256, of that with 32', ({ ours32, ours256 }) => ours256.cpuUs / ours32.cpuUs, 'times', '≤ 1'),
      line('the same of the limit', ({ limit32, limit256 }) => limit256.cpuUs / limit32.cpuUs, 'times'),
      line('event-loop delay p99 with 256', ({ loop256 }) => loop256, 'ms', '< 20'),
      line('one caller, p50, more than the limit', ({ limitOne, oursOne }) => oursOne.p50 - limitOne.p50, 'ms', '≤ 1'),
      line('one caller, p99, more than the limit', ({ limitOne, oursOne }) => oursOne.p99 - limitOne.p99, 'ms', '≤ 3'),
      line('memory', ({ memory }) => memory, 'MiB', '< 300'),
      line('ready after', ({ startedMs }) => startedMs, 'ms', '< 1000'),
    ].join('\n'),
  );
}

/** Names what is worse than the baseline allows. */
function regressions(now) {
  const baseline = JSON.parse(readFileSync(BASELINE, 'utf8'));
  return Object.entries(baseline).flatMap(([name, before]) => {
    const change = name.startsWith('cpu') ? now[name] / before : before / now[name];
    return change > 1 + TOLERANCE ? [`${name}: ${now[name].toFixed(3)}, was ${before.toFixed(3)}`] : [];
  });
}

/** The rounds of one process, and how long it took to start. */
async function roundsOfOne(beside, count) {
  const setup = { ...beside, ours: await startOurs(beside, ['echo']) };
  for (let done = 0; done < WARM_UPS; done++) {
    for (const server of [setup.limit, setup.ours]) await load(setup, server, { connections: 32, bodies: [TASK] });
  }
  const rounds = [];
  while (rounds.length < count) rounds.push({ ...(await round(setup)), startedMs: setup.ours.startedMs });
  await end(setup.ours.child);
  return rounds;
}

const beside = await startLimit();
const rounds = [];
while (rounds.length < ROUNDS) rounds.push(...(await roundsOfOne(beside, Math.min(ROUNDS_OF_ONE, ROUNDS - rounds.length))));
print(rounds);
const now = shares(rounds);
if (flags.includes('--write')) writeFileSync(BASELINE, `${JSON.stringify(now, null, 2)}\n`);
const worse = IS_CHECK ? regressions(now) : [];
for (const text of worse) console.error(`worse than the baseline: ${text}`);
process.exit(worse.length > 0 ? 1 : 0);
