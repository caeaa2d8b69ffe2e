import { afterEach, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import { fastify, type FastifyInstance } from 'fastify';
import { ReadableLog, settingsOf } from '../../test/support/registry.parts.js';
import { NOBODY, type Access } from '../common/access.js';
import { Audit } from './audit.js';
import { AuthGuard } from './auth.guard.js';
import { NoAuthenticator, type Authenticator } from './authenticator.js';
import { ApiKeys } from './api.keys.js';
import { CallerTraffic } from './caller.traffic.js';
import { KeyFile } from '../../test/support/keys.js';
import { ManualClock } from '../../test/support/manual.clock.js';

let server: FastifyInstance;
let keys: ApiKeys | null = null;
let file: KeyFile | null = null;

afterEach(async () => {
  await server.close();
  keys?.onModuleDestroy();
  if (file) rmSync(file.folder, { recursive: true, force: true });
  [keys, file] = [null, null];
});

/** A server with one route, which says this of its callers. */
async function serve(access: Access | undefined, authenticator: Authenticator): Promise<(key?: string) => Promise<number>> {
  server = fastify();
  server.decorateRequest('identity');
  server.addHook('onRequest', (request, _reply, done) => {
    request.identity = NOBODY;
    done();
  });
  new AuthGuard(authenticator, new CallerTraffic(), new Audit(new ReadableLog().log), settingsOf()).watch(server);
  server.setErrorHandler((error, _request, reply) => reply.code(418).send((error as Error).name));
  server.get('/', { config: access === undefined ? {} : { access } }, () => 'let in');
  const url = await server.listen({ port: 0, host: '127.0.0.1' });
  return async (key) => (await fetch(url, { headers: key === undefined ? {} : { 'x-api-key': key } })).status;
}

async function adminKey(): Promise<ApiKeys> {
  file = new KeyFile([{ key: 'root', name: 'root', scopes: ['admin'] }]);
  return (keys = await ApiKeys.open(file.path, { clock: new ManualClock(), log: new ReadableLog().log }));
}

describe('a route that does not say who may use it', () => {
  it('is for nobody, not even an administrator', async () => {
    expect(await (await serve(undefined, await adminKey()))('root')).toBe(418);
  });

  it('is for nobody where nobody is asked for anything either, so that it is found', async () => {
    expect(await (await serve(undefined, new NoAuthenticator()))()).toBe(418);
  });
});

describe('a route that does', () => {
  it.each(['admin', 'tasks:read', 'metrics', 'nothing'] as const)('asks for %s', async (access) => {
    const ask = await serve(access, await adminKey());
    expect(await ask('root')).toBe(200);
    // METRICS_PUBLIC is true unless set.
    expect(await ask()).toBe(access === 'nothing' || access === 'metrics' ? 200 : 418);
  });
});
