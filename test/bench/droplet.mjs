// The droplet of the benches: answers a small JSON, counts its calls, and tells when each came if asked.
import { createServer } from 'node:http';

const ANSWER = '{"ok":true,"result":{"id":42,"name":"a small answer"}}';
let calls = 0;
let awaited = Infinity;
let isProbed = false;

const server = createServer((request, response) => {
  if (isProbed) process.send({ path: request.url, arrivedAt: String(process.hrtime.bigint()) });
  request.resume();
  request.on('end', () => {
    response.setHeader('content-type', 'application/json').end(ANSWER);
    if (++calls === awaited) process.send({ calls });
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send({ url: `http://127.0.0.1:${server.address().port}` }));

process.on('message', ({ awaitCalls, probe }) => {
  if (probe !== undefined) {
    isProbed = probe;
    process.send({});
  }
  if (awaitCalls !== undefined) {
    calls = 0;
    awaited = awaitCalls;
  }
});
