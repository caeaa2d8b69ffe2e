import { afterEach, describe, expect, it } from '@jest/globals';
import { exportJWK, SignJWT } from 'jose';
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { until } from './support/http.client.js';
import { bearer } from './support/keys.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { freePort, reply, TestServer } from './support/server.js';
import { expectError } from './support/udc.error.js';

const RULES = { JWT_ISSUER: 'https://issuer/', JWT_AUDIENCE: 'orchestrator' };
const MODE = { AUTH_MODE: 'jwt', ...RULES };

/** Whoever signs tokens: a key pair with a name. */
class Signer {
  private readonly pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  constructor(readonly kid: string) {}

  get publicKey(): KeyObject {
    return this.pair.publicKey;
  }

  get pem(): string {
    return this.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  }

  async jwk(): Promise<object> {
    return { ...(await exportJWK(this.publicKey)), kid: this.kid, use: 'sig' };
  }

  token(claims: object = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const all = { iss: RULES.JWT_ISSUER, aud: RULES.JWT_AUDIENCE, sub: 'ann', scope: 'tasks:read', exp: now + 600, ...claims };
    return new SignJWT(all).setProtectedHeader({ alg: 'ES256', kid: this.kid }).sign(this.pair.privateKey);
  }
}

let orchestrator: TestOrchestrator | null = null;
let issuer: TestServer | null = null;

afterEach(async () => {
  await orchestrator?.stop();
  await issuer?.stop();
  [orchestrator, issuer] = [null, null];
});

const start = async (settings: Record<string, string>): Promise<TestOrchestrator> =>
  (orchestrator = await TestOrchestrator.start({ ...MODE, ...settings }));
const list = (token: string) => orchestrator!.get('/orchestrator/tasks', bearer(token));
const status = async (token: string | Promise<string>): Promise<number> => (await list(await token)).status;
const keySet = (signers: readonly Signer[]) => Promise.all(signers.map((signer) => signer.jwk()));

async function issue(signers: readonly Signer[], port?: number): Promise<TestServer> {
  const keys = await keySet(signers);
  return (issuer = await TestServer.start((_seen, response) => reply(response, 200, { keys }), port));
}

describe('tokens of one public key', () => {
  it('let in who holds the scope; everybody else is told why not', async () => {
    const signer = new Signer('one');
    await start({ JWT_PUBLIC_KEY: signer.pem });
    const now = Math.floor(Date.now() / 1000);
    expect(await status(signer.token())).toBe(200);
    expectError(await list(await signer.token({ scope: 'droplets:read' })), 403, 'FORBIDDEN');
    for (const wrong of [{ exp: now - 60 }, { nbf: now + 120 }, { aud: 'other' }, { iss: 'other' }, { sub: undefined }]) {
      const answer = await list(await signer.token(wrong));
      expectError(answer, 401, 'UNAUTHORIZED');
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer /);
    }
    expect(await status(new Signer('one').token())).toBe(401);
  });

  it('cannot be made by whoever knows the public key, or nothing', async () => {
    const signer = new Signer('one');
    await start({ JWT_PUBLIC_KEY: signer.pem });
    const [, payload] = (await signer.token({ scope: 'admin' })).split('.');
    const head = (alg: string): string => Buffer.from(JSON.stringify({ alg, kid: 'one' })).toString('base64url');
    const secret = `${head('HS256')}.${payload}`;
    expect(await status(`${secret}.${createHmac('sha256', signer.pem).update(secret).digest('base64url')}`)).toBe(401);
    for (const none of ['none', 'None', 'NONE']) expect(await status(`${head(none)}.${payload}.`)).toBe(401);
  });

  it('make tasks that are their subject’s own', async () => {
    const signer = new Signer('one');
    await start({ JWT_PUBLIC_KEY: signer.pem });
    const ann = bearer(await signer.token({ scope: 'tasks:write tasks:read' }));
    const made = await orchestrator!.task({ droplet_name: 'orchestrator', path: '/health' }, ann);
    expect(made.json.status).toBe('success');
    const { task_id } = made.json;
    expect((await orchestrator!.get(`/tasks/${task_id}`, ann)).status).toBe(200);
    expect((await orchestrator!.get(`/tasks/${task_id}`, bearer(await signer.token({ sub: 'bob' })))).status).toBe(404);
    expect(
      (await orchestrator!.get(`/tasks/${task_id}`, bearer(await signer.token({ sub: 'root', scope: 'admin' })))).status,
    ).toBe(200);
  });
});

describe('tokens of the keys of a URL', () => {
  it('hold through a rotation: a new key is found when the first token names it', async () => {
    const [old, next] = [new Signer('old'), new Signer('next')];
    const { url } = await issue([old]);
    await start({ JWT_JWKS_URL: `${url}/keys?tenant=1` });
    expect(await status(old.token())).toBe(200);
    expect(issuer!.seen[0]).toMatchObject({ method: 'GET', url: '/keys?tenant=1' });
    const keys = await keySet([next]);
    issuer!.handler = (_seen, response) => reply(response, 200, { keys });
    expect(await until(async () => (await status(next.token())) === 200, 15_000)).toBe(true);
    expect(await status(old.token())).toBe(401);
  });

  it('with keys that nobody has do not have the URL asked again and again', async () => {
    await issue([new Signer('one')]);
    await start({ JWT_JWKS_URL: issuer!.url });
    await until(() => issuer!.seen.length > 0);
    await Promise.all(
      Array.from({ length: 50 }, async (_, index) => expect(await status(new Signer(`no ${index}`).token())).toBe(401)),
    );
    expect(issuer!.seen.length).toBeLessThan(5);
  });

  it.each([
    ['an error', 500, {}],
    ['something else', 200, { keys: 'none' }],
  ])('do not either while it answers %s', async (_what, code, body) => {
    issuer = await TestServer.start((_seen, response) => reply(response, code, body));
    await start({ JWT_JWKS_URL: issuer.url });
    await until(() => issuer!.seen.length > 0);
    for (let index = 0; index < 50; index++) expect(await status(new Signer(`no ${index}`).token())).toBe(401);
    expect(issuer.seen.length).toBeLessThan(5);
  });

  it('with a key of the set that is a secret are nobody’s', async () => {
    const secret = Buffer.from('a secret of thirty-two bytes ok!');
    issuer = await TestServer.start((_seen, response) =>
      reply(response, 200, { keys: [{ kty: 'oct', kid: 's', k: secret.toString('base64url') }] }),
    );
    await start({ JWT_JWKS_URL: issuer.url });
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: RULES.JWT_ISSUER, aud: RULES.JWT_AUDIENCE, sub: 'ann', scope: 'admin', exp: now + 60 };
    expect(await status(new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 's' }).sign(secret))).toBe(401);
  });

  it('are nobody’s until the URL has answered once, and hold on when it is away after that', async () => {
    const signer = new Signer('one');
    const port = await freePort();
    await start({ JWT_JWKS_URL: `http://127.0.0.1:${port}/` });
    expectError(await list(await signer.token()), 401, 'UNAUTHORIZED');
    expect((await orchestrator!.get('/orchestrator/health/ready')).status).toBe(200);
    await issue([signer], port);
    expect(await until(async () => (await status(signer.token())) === 200, 15_000)).toBe(true);
    await issuer!.stop();
    issuer = null;
    expect(await status(signer.token())).toBe(200);
  });

  it.each([
    ['an error', 500, { keys: [] }],
    ['a page', 200, '<html>'],
    ['something else', 200, { keys: 'none' }],
    ['a redirect', 302, ''],
  ])('from an issuer that answers %s are nobody’s, and nothing breaks', async (_what, code, body) => {
    issuer = await TestServer.start((_seen, response) => reply(response, code, body, { location: 'http://127.0.0.1:1/' }));
    await start({ JWT_JWKS_URL: issuer.url });
    expect(await status(new Signer('one').token())).toBe(401);
    expect((await orchestrator!.get('/orchestrator/health')).status).toBe(200);
  });
});
