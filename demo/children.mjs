// The processes that the demo starts, and their end.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';

const START_MS = 20_000;
const END_MS = 5000;
const children = [];

/** Starts a Node script on a free port and resolves, when it answers, with its URL. */
export async function start(name, [script, ...args], folder, environment = () => ({})) {
  const url = `http://127.0.0.1:${await freePort()}`;
  const env = { PATH: process.env.PATH, PORT: new URL(url).port, HOST: '127.0.0.1', ...environment(url) };
  const started = launch(name, [process.execPath, path.resolve(script), ...args], { folder, env });
  await started.until(() => isUp(url));
  return { name, url, pid: started.pid, ended: started.ended };
}

/**
 * Starts a program that writes to `<name>.log`, in a group of its own: the terminal's Ctrl-C reaches only the demo, which
 * ends them in order. `endBy` is the signal that asks it to end.
 */
export function launch(name, [program, ...args], { folder, env, owner = {}, endBy = 'SIGTERM' }) {
  if (ending) throw new Error(`${name} is not started any more`);
  const file = path.join(folder, `${name}.log`);
  const log = openSync(file, 'a');
  const child = spawn(program, args, { ...owner, cwd: folder, detached: true, stdio: ['ignore', log, log], env });
  closeSync(log);
  children.push({ child, endBy });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  /** Waits until it is as it should be; throws with what it wrote when it does not come to that. */
  const until = async (isReached) => {
    const end = performance.now() + START_MS;
    while (!(await isReached(file))) {
      const isOver = hasEnded(child) || performance.now() > end;
      if (isOver) throw new Error(`${name} did not start:\n${readFileSync(file, 'utf8')}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  return { pid: child.pid, ended, until };
}

let ending;

/** Asks every process to end, last started first, and insists after five seconds; asked again, waits for the same end. */
export const endAll = () => (ending ??= endInOrder());

async function endInOrder() {
  for (const { child, endBy } of children.toReversed()) {
    if (hasEnded(child)) continue;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(endBy);
    const insist = setTimeout(() => child.kill('SIGKILL'), END_MS);
    await ended;
    clearTimeout(insist);
  }
}

// Whatever ends the demo, nothing of it stays.
process.on('exit', () => children.forEach(({ child }) => child.kill('SIGKILL')));

const hasEnded = ({ exitCode, signalCode }) => exitCode !== null || signalCode !== null;

const isUp = (url) =>
  fetch(`${url}/health`, { signal: AbortSignal.timeout(1000) }).then(
    ({ ok }) => ok,
    () => false,
  );

export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
