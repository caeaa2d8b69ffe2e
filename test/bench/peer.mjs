// Measures any server that takes a task over HTTP beside the raw limit and the orchestrator, in interleaved rounds:
// `npm run build && node test/bench/peer.mjs --url http://127.0.0.1:9000/tasks [--body task.json] [--header 'name: value']... [--rounds 5] [--connections 32]`.
// The server must be running; `{droplet}` in the body becomes the URL of the bench's droplet, so that all call the same one.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { median } from './figures.mjs';
import { ask, end } from './processes.mjs';
import { load, startLimit, startOurs, taskFor } from './side.by.side.mjs';

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    body: { type: 'string' },
    header: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '32' },
  },
});
if (!values.url) throw new Error('--url names the server that is compared');
const CONNECTIONS = Number(values.connections);
const SECONDS = 4;
const TASK = JSON.stringify(taskFor('echo'));

const headers = Object.fromEntries([
  ['content-type', 'application/json'],
  ...values.header.map((line) => line.split(/:\s*(.*)/s).slice(0, 2)),
]);

/** Tasks a second of the peer; what its processes use is not known to us. */
async function peer({ client, dropletUrl }) {
  const body = values.body ? readFileSync(values.body, 'utf8').replaceAll('{droplet}', dropletUrl) : TASK;
  const options = { url: values.url, method: 'POST', body, headers, connections: CONNECTIONS, duration: SECONDS };
  const { accepted, refused, perSecond, p50, p99 } = await ask(client, options);
  if (refused > accepted) throw new Error(`${values.url} refused ${refused} of ${accepted + refused} tasks`);
  return { perSecond, p50, p99 };
}

const beside = await startLimit();
const setup = { ...beside, ours: await startOurs(beside, ['echo']) };
const rounds = [];
for (let number = 0; number <= Number(values.rounds); number++) {
  const options = { connections: CONNECTIONS, bodies: [TASK] };
  const limit = await load(setup, setup.limit, options);
  const ours = await load(setup, setup.ours, options);
  const theirs = await peer(setup);
  // The first one warms all three up.
  if (number > 0) rounds.push({ limit, ours, theirs });
}
const mid = (name) => Math.round(median(rounds.map((figures) => figures[name].perSecond)));
const share = (name) => Math.round(median(rounds.map((figures) => (100 * figures[name].perSecond) / figures.limit.perSecond)));
console.log('| | median | of the limit |\n|---|---|---|');
for (const [title, name] of Object.entries({ 'the raw limit': 'limit', 'the orchestrator': 'ours', [values.url]: 'theirs' })) {
  console.log(`| ${title} | ${mid(name)} /s | ${share(name)} % |`);
}
await end(setup.ours.child);
process.exit(0);
