// A client and its droplet in a process of their own, so that they disturb nobody: posts N tasks at once over some connections.
// node burst.mjs <orchestrator's URL> <tasks> <connections>; prints one line of JSON when all are acknowledged, one when all were called.
import http from 'node:http';
import { once } from 'node:events';

const [url, tasks, connections] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
const called = new Set();
const acknowledged = new Set();
const refused = {};
let onAllCalled = () => undefined;
const allCalled = new Promise((resolve) => (onAllCalled = resolve));

const droplet = http.createServer((request, response) => {
  called.add(request.headers['x-task-id']);
  request.resume();
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"done":true}');
  if (called.size === tasks) onAllCalled();
});
droplet.listen(0, '127.0.0.1');
await once(droplet, 'listening');
await post('/register', { name: 'burst', url: `http://127.0.0.1:${droplet.address().port}` });

const start = performance.now();
await Promise.all(Array.from({ length: tasks }, (_, number) => submit(number)));
tell({ acknowledged: acknowledged.size, refused });
await allCalled;
tell({ called: called.size, lost: [...acknowledged].filter((id) => !called.has(id)).length });
agent.destroy();
droplet.close();
droplet.closeAllConnections();

async function submit(number) {
  const task = { droplet_name: 'burst', method: 'POST', path: '/work', payload: { number } };
  const { status, json } = await post('/orchestrator/tasks', task, { prefer: 'respond-async' });
  if (status === 202) acknowledged.add(json.task_id);
  else refused[status] = (refused[status] ?? 0) + 1;
}

function post(path, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', agent, headers: { 'content-type': 'application/json', ...headers } };
    const request = http.request(url + path, options, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode, json: JSON.parse(text) }));
    });
    request.on('error', reject).end(JSON.stringify(body));
  });
}

function tell(figures) {
  console.log(JSON.stringify({ ...figures, seconds: Math.round(performance.now() - start) / 1000 }));
}
