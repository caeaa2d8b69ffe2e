// How long an idle orchestrator lets an accepted task wait: from its 202 to the droplet's first byte.
import { on } from 'node:events';
import { ask } from './processes.mjs';

const TASKS = 200;
const HEADERS = { 'content-type': 'application/json', prefer: 'respond-async' };

/** When the call of a path reaches the droplet; those of earlier tasks may still be on their way. */
async function arrival(droplet, path) {
  for await (const [message] of on(droplet, 'message')) if (message.path === path) return BigInt(message.arrivedAt);
}

/** Milliseconds, one task at a time, in turn at each URL; `taskFor` makes the task of a number. */
export async function idle(droplet, urls, taskFor) {
  await ask(droplet, { probe: true });
  const waits = [];
  for (let number = 0; number < TASKS; number++) {
    const path = `/work/${number}`;
    const arrived = arrival(droplet, path);
    const body = JSON.stringify({ ...taskFor(number), path });
    const answer = await fetch(urls[number % urls.length], { method: 'POST', headers: HEADERS, body });
    const answeredAt = process.hrtime.bigint();
    await answer.arrayBuffer();
    waits.push(Number((await arrived) - answeredAt) / 1e6);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await ask(droplet, { probe: false });
  const sorted = waits.toSorted((a, b) => a - b);
  return { idleP50: sorted[Math.floor(TASKS * 0.5)], idleP99: sorted[Math.floor(TASKS * 0.99)] };
}
