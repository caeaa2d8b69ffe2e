// What the demo's servers share: listening on a port, reading a body, answering with JSON, ending when asked.
import http from 'node:http';

/** Serves `answer({ method, path, body }, request)`, which gives `[status, body, delayMs?]`; resolves with the port. */
export async function serve(answer, port = 0) {
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const asked = { method: request.method, path: request.url, body: parse(Buffer.concat(chunks).toString()) };
      const [status, body, delayMs = 0] = answer(asked, request);
      const send = () => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      setTimeout(send, delayMs);
    });
  });
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, process.env.HOST, resolve));
  return server.address().port;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
