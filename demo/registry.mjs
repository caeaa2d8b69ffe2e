// A Registry stand-in: it answers as the real one does and forgets everything when it ends.
// PORT (8000) is where it listens; DROPLETS may list entries it knows from the start: `name=http://host:port,…`.
import { serve } from './stand-in.mjs';

const droplets = [];
const now = () => new Date().toISOString();
const one = (droplet) => [200, { droplet, timestamp: now() }];
const missing = [404, { detail: 'Droplet not found' }];

function add({ name, id, url, endpoint = url, version = null, metadata = { version } }) {
  const taken = droplets.findIndex((droplet) => droplet.id === id);
  // The real Registry overwrites by id.
  if (taken >= 0) droplets.splice(taken, 1);
  const droplet = { id: id ?? 1 + Math.max(100, ...droplets.map((each) => each.id)), name, endpoint, metadata };
  droplets.push({ ...droplet, status: 'active', steward: null, registered_at: now(), updated_at: now() });
  return droplet;
}

function register(entry) {
  if (!entry?.name || !(entry.url ?? entry.endpoint)) return [422, { detail: 'name and url are required' }];
  if (droplets.some(({ name }) => name === entry.name)) return [409, { detail: `Droplet '${entry.name}' already exists` }];
  const { id } = add(entry);
  return [200, { success: true, droplet_id: id, message: `Droplet '${entry.name}' registered` }];
}

function change(droplet, fields) {
  return one(Object.assign(droplet, fields, { id: droplet.id, updated_at: now() }));
}

function remove(droplet) {
  droplets.splice(droplets.indexOf(droplet), 1);
  return [200, { success: true, message: `Droplet '${droplet.name}' removed`, deleted_at: now() }];
}

function answer({ method, path, body }) {
  if (path === '/health') return [200, { status: 'active', service: 'registry' }];
  if (method === 'GET' && path === '/droplets') return [200, { droplets, total: droplets.length, timestamp: now() }];
  if (method === 'POST' && path === '/register') return register(body);
  const [, name] = /^\/droplets\/name\/([^/]+)$/.exec(path) ?? [];
  const [, id] = /^\/droplets\/([^/]+)$/.exec(path) ?? [];
  const droplet = droplets.find((each) => (name ? each.name === decodeURIComponent(name) : String(each.id) === id));
  if (!droplet) return missing;
  if (method === 'GET') return one(droplet);
  if (method === 'PATCH') return change(droplet, body);
  return method === 'DELETE' ? remove(droplet) : [405, { detail: 'Method Not Allowed' }];
}

for (const entry of process.env.DROPLETS?.split(',') ?? []) {
  const [name, url] = entry.split('=');
  add({ name, url, version: '1.0.0' });
}
const port = await serve(answer, Number(process.env.PORT ?? 8000));
console.log(`listening on ${port}`);
