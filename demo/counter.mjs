// A droplet that takes its time and keeps a book of its calls, which GET /book shows. It registers itself at the built-in
// Registry of ORCHESTRATOR as `counter`; PORT is where it listens.
import http from 'node:http';

const TAKES_MS = 800;
/** One entry a call: `{ task, at, wasCutOff }`. */
const book = [];

const server = http.createServer((request, response) => {
  const send = (body) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (request.url === '/health') return send({ status: 'active' });
  if (request.url === '/book') return send(book);
  const call = { task: request.headers['x-task-id'], at: Date.now(), wasCutOff: false };
  book.push(call);
  // The caller is gone before it has its answer.
  response.on('close', () => (call.wasCutOff = !response.writableEnded));
  setTimeout(() => send({ counted: book.length }), TAKES_MS);
});

process.on('SIGTERM', () => process.exit(0));
const { PORT, HOST, ORCHESTRATOR } = process.env;
await new Promise((resolve) => server.listen(Number(PORT), HOST, resolve));
const { ok, status } = await fetch(`${ORCHESTRATOR}/register`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ name: 'counter', url: `http://${HOST}:${PORT}` }),
});
if (!ok) throw new Error(`not registered: ${status}`);
