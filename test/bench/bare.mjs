// The raw limit: takes the same JSON, makes the same call with the same client, answers 202, and keeps nothing.
import { createServer } from 'node:http';
import { Agent } from 'undici';

const [droplet] = process.argv.slice(2);
const agent = new Agent({ connections: 64 });

async function run(text) {
  const { method, path, payload } = JSON.parse(text);
  const headers = { 'content-type': 'application/json' };
  const { body } = await agent.request({ origin: droplet, method, path, headers, body: JSON.stringify(payload) });
  JSON.parse(await body.text());
}

const server = createServer((request, response) => {
  let text = '';
  request.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  request.on('end', () => {
    run(text).then(
      () => response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"queued"}'),
      () => response.writeHead(500).end(),
    );
  });
});
server.listen(0, '127.0.0.1', () => process.send({ url: `http://127.0.0.1:${server.address().port}` }));

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send({ cpuMs: (user + system) / 1e3 });
});
