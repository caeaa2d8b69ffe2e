// Watches the memory of the orchestrator over a million synchronous tasks from 32 callers:
// `npm run build && node test/bench/endurance.mjs [tasks]`. A table of ten lines; other work on the machine changes none of them.
import { ask, end, residentMib } from './processes.mjs';
import { load, startLimit, startOurs, taskFor } from './side.by.side.mjs';

const TASKS = Number(process.argv[2] ?? 1_000_000);
const LINES = 10;
const MIB = 2 ** 20;

const setup = await startLimit();
const ours = await startOurs(setup, ['echo']);
const bodies = [JSON.stringify(taskFor('echo'))];

async function totalTasks() {
  const answer = await fetch(ours.url.replace(/tasks$/, 'metrics'));
  return (await answer.json()).tasks.total;
}

console.log(['| tasks | memory | the most in between | held after a collection |', '|---|---|---|---|'].join('\n'));
for (let line = 1; line <= LINES; line++) {
  let most = 0;
  let total = 0;
  while (total < (line * TASKS) / LINES) {
    await load(setup, ours, { connections: 32, bodies });
    total = await totalTasks();
    most = Math.max(most, residentMib(ours.child));
  }
  const { heldBytes } = await ask(ours.child, 'held');
  const cells = [residentMib(ours.child), most, heldBytes / MIB].map((mib) => `${mib.toFixed(0)} MiB`);
  console.log(`| ${[total, ...cells].join(' | ')} |`);
}
await end(ours.child);
process.exit(0);
