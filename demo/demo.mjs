// `npm run demo`: a Registry, three droplets and the orchestrator as processes on free ports; what they make of some tasks.
// It stays up until Ctrl-C, so that you can try more; with --once it ends by itself.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { accountOf } from './account.mjs';
import { endAll, start } from './children.mjs';

/** Shorter waits than the defaults (1000, 4000 and 60): nobody likes to wait for a demo. */
const WAITS = { RETRY_BACKOFF_BASE_MS: '200', RETRY_BACKOFF_MAX_MS: '800', REGISTRY_SYNC_INTERVAL: '2' };

const TASKS = [
  ['A droplet that works', { droplet_name: 'healthy', path: '/hello' }],
  [
    'Names do not mind upper case; a payload and a label go along',
    { droplet_name: 'HEALTHY', method: 'POST', path: '/orders', payload: { item: 7 }, meta: { by: 'demo' } },
  ],
  ['Out of order twice, then well again: retried until it works', { droplet_name: 'flaky', path: '/invoice' }],
  ['Out of order for good: three attempts, then the truth', { droplet_name: 'flaky', path: '/broken' }],
  [
    'A POST that must not happen twice is not repeated',
    { droplet_name: 'flaky', method: 'POST', path: '/charge', retry_unsafe: false },
  ],
  ['"Not found" is an answer, not a fault', { droplet_name: 'healthy', path: '/missing' }],
  ['Slow, and given the time', { droplet_name: 'slow', path: '/report' }],
  ['Slow, and not given the time', { droplet_name: 'slow', path: '/report', attempt_timeout_ms: 300, max_attempts: 2 }],
];

async function main() {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void endAll().then(() => process.exit(0)));
  const folder = mkdtempSync(path.join(tmpdir(), 'demo-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  try {
    const orchestrator = await startAll(folder);
    for (const [title, task] of TASKS) await tell(orchestrator.url, title, task);
    await summary(orchestrator.url);
    if (!process.argv.includes('--once')) await stayUp(orchestrator, folder);
  } finally {
    await endAll();
  }
}

async function startAll(folder) {
  const registry = await start('registry', ['demo/registry.mjs'], folder);
  const kinds = ['healthy', 'flaky', 'slow'];
  const droplets = await Promise.all(kinds.map((kind) => start(kind, ['demo/droplet.mjs', kind], folder)));
  for (const [index, { name, url }] of droplets.entries()) await post(`${registry.url}/register`, { id: 11 + index, name, url });
  const orchestrator = await start('orchestrator', ['dist/main.js'], folder, (url) => ({
    ...WAITS,
    PUBLIC_URL: url,
    REGISTRY_URL: registry.url,
  }));
  for (const { name, url, pid } of [registry, ...droplets, orchestrator]) console.log(`${name.padEnd(12)} ${url}  pid ${pid}`);
  return orchestrator;
}

async function tell(url, title, task) {
  const { task_id } = await post(`${url}/orchestrator/tasks`, task);
  const record = await get(`${url}/orchestrator/tasks/${task_id}`);
  console.log([`\n${title}`, ...accountOf(record)].join('\n'));
}

async function summary(url) {
  const { tasks, retry } = await get(`${url}/orchestrator/metrics`);
  console.log(`\n${tasks.total} tasks: ${tasks.success} success, ${tasks.error} error, ${tasks.timeout} timeout.`);
  console.log(
    `${retry.total_retries} failed attempts; ${retry.retry_success_count} of the tasks that had one went well in the end.`,
  );
}

/** Resolves when the orchestrator has ended; a signal ends everything before. */
async function stayUp({ url, ended }, folder) {
  console.log(`\nStill up at ${url}, logs in ${folder}. Try:\n  curl ${url}/orchestrator/droplets\nCtrl-C ends all of it.`);
  await ended;
}

const get = async (url) => (await fetch(url)).json();

const post = async (url, body) =>
  (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).json();

await main();
