// The processes that the benches start, and their end. Each tells its port, and more, over the IPC channel.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** More arguments for the orchestrator's Node, such as `--cpu-prof`. */
const NODE_ARGS = (process.env.BENCH_NODE_ARGS ?? '').split(' ').filter(Boolean);
const children = [];
const folders = [];

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
process.on('SIGINT', () => process.exit(1)).on('SIGTERM', () => process.exit(1));

/** A new folder, removed at the end; in BENCH_DIR if that is set: the figures depend on its disk. */
export function newFolder() {
  const folder = mkdtempSync(path.join(process.env.BENCH_DIR ?? tmpdir(), 'bench-'));
  folders.push(folder);
  return folder;
}

/** Starts a script of this folder; resolves, when it has told its first message, with the child and that message. */
export async function startScript(name, ...args) {
  const child = fork(path.join(import.meta.dirname, name), args);
  children.push(child);
  const [told] = await once(child, 'message');
  return { child, told };
}

/** Starts the built orchestrator with its default settings on an empty database, or on the one in `folder`. */
export async function startOrchestrator(folder = newFolder(), settings = {}) {
  const port = await freePort();
  const env = { PATH: process.env.PATH, PORT: String(port), HOST: '127.0.0.1', LOG_LEVEL: 'warn', ...settings };
  const probe = path.join(import.meta.dirname, 'loop.probe.mjs');
  const child = fork(path.join(ROOT, 'dist/main.js'), [], {
    ...{ cwd: folder, env, execArgv: ['--import', probe, ...NODE_ARGS] },
  });
  children.push(child);
  const url = `http://127.0.0.1:${port}`;
  const begun = performance.now();
  while (!(await isUp(url))) {
    if (child.exitCode !== null) throw new Error('the orchestrator did not start');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return { child, url, folder, startedMs: performance.now() - begun };
}

/** What a child has in memory. */
export const residentMib = ({ pid }) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

/** Asks a child and waits for its next message. */
export async function ask(child, message) {
  const answer = once(child, 'message');
  child.send(message);
  return (await answer)[0];
}

export async function end(child) {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

const isUp = (url) =>
  fetch(`${url}/health/ready`).then(
    ({ ok }) => ok,
    () => false,
  );

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}
