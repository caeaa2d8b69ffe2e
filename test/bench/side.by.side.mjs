// A server that takes tasks and the raw limit beside it, under the same load: what the benches of synchronous tasks share.
import { ask, startOrchestrator, startScript } from './processes.mjs';

const SECONDS = 4;
/** V8 is done with compiling what is hot after about 12 s: 530, 360, 240 µs a task in the first three loads. */
export const WARM_UPS = 3;
const HEADERS = { 'content-type': 'application/json' };

export const taskFor = (droplet_name) => ({
  ...{ droplet_name, method: 'POST', path: '/work', meta: { team: 'bench' } },
  payload: { order: 4711, lines: [{ sku: 'a-1', count: 2 }], note: 'a payload of a usual size, about two hundred bytes in all' },
});

const cpuOf = async (child) => (await ask(child, 'cpu')).cpuMs;

/** Tasks a second and CPU microseconds a task of one server, each caller sending the bodies in turn. */
export async function load({ client }, { child, url }, { connections, bodies }) {
  const before = await cpuOf(child);
  const requests = bodies.map((body) => ({ method: 'POST', body }));
  const options = { url, requests, headers: HEADERS, connections, duration: SECONDS };
  const { accepted, refused, perSecond } = await ask(client, options);
  if (refused > 0) throw new Error(`${refused} tasks were refused`);
  return { perSecond, cpuUs: ((await cpuOf(child)) - before) * (1000 / accepted) };
}

/** The droplet, the limit before it, and a client. */
export async function startLimit() {
  const { told: droplet } = await startScript('droplet.mjs');
  const { child, told } = await startScript('bare.mjs', droplet.url);
  const { child: client } = await startScript('client.mjs');
  return { client, dropletUrl: droplet.url, limit: { child, url: told.url } };
}

/** The orchestrator, with droplets of these names registered, on the database in `folder` if one is given. */
export async function startOurs({ dropletUrl }, names, folder) {
  const { child, url, startedMs } = await startOrchestrator(folder);
  for (const [number, name] of names.entries()) {
    const body = JSON.stringify({ name, id: 77 + number, url: dropletUrl });
    const { ok, status } = await fetch(`${url}/register`, { method: 'POST', headers: HEADERS, body });
    if (!ok) throw new Error(`registering ${name}: ${status}`);
  }
  return { child, url: `${url}/orchestrator/tasks`, startedMs };
}
