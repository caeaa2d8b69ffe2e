// `npm run demo:cluster`: three replicas on one PostgreSQL, one of which dies in the middle of its work; what came of it.
// It ends by itself after half a minute, or by Ctrl-C, and leaves nothing behind.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { endAll, start } from './children.mjs';
import { Client } from './client.mjs';
import { startPostgres } from './postgres.mjs';

const TASKS = 300;
/** Between two submissions: the whole takes ten seconds, and each replica makes some ten calls at any time. */
const EVERY_MS = 30;
const TELL_EVERY_MS = 2000;
/** Twice what a dead replica's tasks may take to run elsewhere. */
const FINAL_WITHIN_MS = 40_000;
const FINAL = ['success', 'error', 'timeout', 'cancelled'];

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

async function main() {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void endAll().then(() => process.exit(0)));
  const folder = mkdtempSync(path.join(tmpdir(), 'demo-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  try {
    const { replicas, counter } = await startAll(folder);
    const client = new Client(replicas);
    const killedAt = await load(client, replicas[1]);
    await untilFinal(client);
    await report(client, counter, killedAt);
  } finally {
    await endAll();
  }
}

async function startAll(folder) {
  const postgres = await startPostgres(folder);
  const startReplica = (number, publicUrl) =>
    start(`replica-${number}`, ['dist/main.js'], folder, (url) => ({
      ...{ DATABASE_URL: postgres.url, PUBLIC_URL: publicUrl ?? url, CACHE_DIR: folder, SHUTDOWN_GRACE: '1' },
    }));
  // They are one droplet of the mesh; without a proxy it answers at the first one's address.
  const first = await startReplica(1);
  const replicas = [first, ...(await Promise.all([2, 3].map((number) => startReplica(number, first.url))))];
  const counter = await start('counter', ['demo/counter.mjs'], folder, () => ({ ORCHESTRATOR: first.url }));
  for (const { name, url, pid } of [postgres, ...replicas, counter]) console.log(`${name.padEnd(12)} ${url}  pid ${pid}`);
  return { replicas, counter };
}

/** Submits all tasks, and kills a replica after half of them; resolves to when that was. */
async function load(client, victim) {
  console.log(`\n${TASKS} tasks, submitted to the three in turn; each takes the droplet 0.8 s.`);
  const submissions = [];
  let killedAt = 0;
  for (let index = 0; index < TASKS; index++) {
    submissions.push(client.submit(index));
    await sleep(EVERY_MS);
    if (index !== TASKS / 2) continue;
    process.kill(victim.pid, 'SIGKILL');
    killedAt = Date.now();
    console.log(`kill -9 ${victim.pid}: ${victim.name} is dead, ${client.accepted.size} tasks were accepted until now.`);
  }
  await Promise.all(submissions);
  return killedAt;
}

/** Waits until no accepted task waits or runs any more. */
async function untilFinal(client) {
  const end = performance.now() + FINAL_WITHIN_MS;
  for (;;) {
    const finished = await countFinished(client);
    console.log(`${client.accepted.size} accepted, ${finished} finished`);
    if (finished >= client.accepted.size || performance.now() > end) return;
    await sleep(TELL_EVERY_MS);
  }
}

const countFinished = async (client) => (await client.records()).filter(({ status }) => FINAL.includes(status)).length;

async function report(client, counter, killedAt) {
  const records = new Map((await client.records()).map((record) => [record.id, record.status]));
  const lost = [...client.accepted].filter((id) => !FINAL.includes(records.get(id)));
  const succeeded = [...client.accepted].filter((id) => records.get(id) === 'success').length;
  const book = await (await fetch(`${counter.url}/book`)).json();
  const again = secondCalls(book);
  const cutOff = book.filter(({ wasCutOff }) => wasCutOff).length;
  const last = Math.max(0, ...again.map(({ at }) => at - killedAt));
  const { size } = client.accepted;
  console.log(
    `\naccepted  ${size} of ${TASKS}; ${client.repeated} were sent to another replica, for the dead one gave no answer`,
  );
  console.log(`finished  ${size - lost.length}, of which ${succeeded} success`);
  console.log(`lost      ${lost.length}`);
  console.log(
    `calls     ${book.length}: ${again.length} tasks were called twice. The dead replica took along what its calls had come to, so`,
  );
  console.log('          they were made again: at least once, not exactly once. A droplet can tell by the Idempotency-Key.');
  console.log(
    `the dead  ${cutOff} of its calls were cut off; the last of its tasks ran elsewhere ${seconds(last)} after the kill`,
  );
  if (lost.length > 0 || succeeded < TASKS) process.exitCode = 1;
}

/** Calls of tasks that had been called before. */
function secondCalls(book) {
  const seen = new Set();
  return book.filter(({ task }) => seen.has(task) || !seen.add(task));
}

await main();
