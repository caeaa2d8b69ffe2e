import type { ServerResponse } from 'node:http';
import { reply, TestServer, type Seen } from './server.js';

/** The paths that the test droplet knows; anything else is 404. */
const PATHS: Record<string, (seen: Seen, response: ServerResponse, query: URLSearchParams, server: TestServer) => void> = {
  '/health': (_seen, response) => reply(response, 200, { status: 'active' }),
  '/echo': ({ method, url, headers, body }, response) => reply(response, 200, { method, url, headers, body }),
  '/array': (_seen, response) => reply(response, 200, [1, 'two', null]),
  '/text': (_seen, response) => reply(response, 200, 'plain words', { 'content-type': 'text/plain' }),
  '/broken-json': (_seen, response) => reply(response, 200, '{"a":'),
  '/empty': (_seen, response) => reply(response, 200, ''),
  '/none': (_seen, response) => void response.writeHead(204).end(),
  '/reset': (_seen, response) => response.socket?.resetAndDestroy(),
  '/never': () => undefined,
  '/status': ({ url }, response, query) => reply(response, Number(query.get('code')), { asked: url }),
  '/slow': (_seen, response, query) => void setTimeout(() => reply(response, 200, { slow: true }), Number(query.get('ms'))),
  '/body': (_seen, response, query) => reply(response, 200, query.get('text') ?? ''),
  '/redirect': (_seen, response, query) => reply(response, 302, { moved: true }, { location: query.get('to') ?? '/' }),
  '/flaky': ({ url }, response, query, server) => {
    const calls = server.seen.filter((other) => other.url === url).length;
    return reply(response, calls <= Number(query.get('fail')) ? Number(query.get('code') ?? 503) : 200, { calls });
  },
};

/** A real droplet: well-behaved or not, by its path. `server.handler` can be replaced for anything else. */
export async function startDroplet(): Promise<TestServer> {
  const server: TestServer = await TestServer.start((seen, response) => {
    const { pathname, searchParams } = new URL(seen.url, 'http://droplet');
    const answer = PATHS[pathname];
    if (answer) answer(seen, response, searchParams, server);
    else reply(response, 404, { detail: 'nothing here' });
  });
  return server;
}

/** What a list says of the health of a droplet before its first call; contract §5. */
export const NOT_CALLED_YET = { state: 'unknown', breaker: 'closed', in_flight: 0, success_rate_percent: null, p95_ms: null };
