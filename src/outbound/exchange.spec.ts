import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Agent } from 'undici';
import { until } from '../../test/support/http.client.js';
import { stopsAfterEach } from '../../test/support/outbound.cleanup.js';
import { rawServer, reply, TestServer } from '../../test/support/server.js';
import { parseSettings } from '../config/settings.js';
import { ResponseMemory } from './response.memory.js';
import { Exchange, type WireRequest } from './exchange.js';

describe('one exchange', () => {
  const keep = stopsAfterEach();
  let droplet: TestServer;
  let agent: Agent;

  beforeEach(async () => {
    droplet = await TestServer.start((_seen, response) => reply(response, 200, { ok: true }));
    agent = new Agent();
  });
  afterEach(async () => {
    await agent.destroy();
    await droplet.stop();
  });

  const exchange = (request: Partial<WireRequest> = {}): Exchange =>
    new Exchange({
      ...{ origin: droplet.url, path: '/x', method: 'GET', headers: {}, body: null, responseLimit: 100, publicOnly: false },
      memory: new ResponseMemory(parseSettings({})),
      ...request,
    });

  const started = (request: Partial<WireRequest> = {}): Exchange => {
    const made = exchange(request);
    made.start(agent);
    return made;
  };

  it('gives the whole answer', async () => {
    const outcome = await started().outcome;
    expect(outcome).toMatchObject({ kind: 'answered', status: 200, headers: { 'content-type': 'application/json' } });
    expect(outcome.kind === 'answered' && outcome.body.toString()).toBe('{"ok":true}');
  });

  it('takes an answer of exactly the limit, and not one byte more, announced or not', async () => {
    for (const announced of [true, false]) {
      droplet.handler = ({ url }, response) => {
        const body = 'x'.repeat(Number(url.slice(1)));
        if (announced) response.setHeader('content-length', body.length);
        response.writeHead(203).end(body);
      };
      expect(await started({ path: '/100' }).outcome).toMatchObject({ kind: 'answered', status: 203 });
      expect(await started({ path: '/101' }).outcome).toMatchObject({ kind: 'too-large', status: 203 });
    }
  });

  it('is not held up by early hints and other news before the answer', async () => {
    droplet.handler = (_seen, response) => {
      response.writeProcessing();
      response.writeEarlyHints({ link: '</x>; rel=preload' }, () => reply(response, 201, {}));
    };
    expect(await started().outcome).toMatchObject({ kind: 'answered', status: 201 });
  });

  it('opens no connection when it was taken back before it started', async () => {
    const server = keep(await rawServer(() => undefined));
    const call = exchange({ origin: server.url });
    call.cut('aborted', 'too late');
    call.start(agent);
    expect(await call.outcome).toEqual({ kind: 'aborted', sent: false, message: 'too late' });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(server.connections()).toBe(0);
  });

  it('never leaves when it was taken back before the connection stood', async () => {
    const call = started();
    call.cut('timed-out', 'no connection yet');
    expect(await call.outcome).toMatchObject({ kind: 'timed-out', sent: false });
    // A second call over the same agent shows that the first, which is ahead of it, is over.
    expect(await started({ path: '/second' }).outcome).toMatchObject({ kind: 'answered' });
    expect(droplet.seen.map(({ url }) => url)).toEqual(['/second']);
  });

  it('keeps its outcome when it is cut after the end', async () => {
    const call = started();
    const outcome = await call.outcome;
    call.cut('aborted', 'too late');
    expect(await call.outcome).toBe(outcome);
  });

  it('closes its connection when it is cut while it waits for the answer', async () => {
    droplet.handler = () => undefined;
    const call = started();
    await until(() => droplet.hits() === 1);
    call.cut('timed-out', 'slow');
    expect(await call.outcome).toEqual({ kind: 'timed-out', sent: true, message: 'slow' });
    await until(() => droplet.connectionCount === 0);
  });

  it('tells a switch of protocols that nobody asked for as no answer', async () => {
    droplet.handler = (_seen, response) => response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n');
    expect(await started().outcome).toMatchObject({ kind: 'no-answer' });
  });
});
