import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import tls, { type SecureContextOptions } from 'node:tls';
import { TestAuthority, type Certificate } from './support/certificates.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { entry, TestRegistry } from './support/registry.js';

/** A droplet behind TLS. */
interface SecureDroplet {
  readonly name: string;
  readonly port: number;
  /** Paths that were asked for. */
  readonly asked: string[];
  /** From now on it shows this certificate. */
  readonly renew: (certificate: Certificate) => void;
  readonly stop: () => Promise<void>;
}

async function secureDroplet(name: string, options: SecureContextOptions): Promise<SecureDroplet> {
  const asked: string[] = [];
  const server = https.createServer(options, (request, response) => {
    asked.push(request.url ?? '');
    response.setHeader('content-type', 'application/json').end('{"secure":true}');
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => void server.close(() => resolve()));
  };
  const { port } = server.address() as AddressInfo;
  return { name, port, asked, renew: (certificate) => server.setSecureContext(certificate), stop };
}

/** What is wrong with each droplet, and what is said about it. */
const FAULTS: [string, RegExp][] = [
  ['self-signed', /self.signed/i],
  ['expired', /expired/i],
  ['not valid yet', /not yet valid/i],
  ['made out to another name', /does not match|altnames/i],
  ['made out to another address', /does not match|altnames/i],
  ['of an authority that nobody knows', /unable to (verify|get)/i],
  ['of a TLS that is too old', /protocol|version/i],
];

describe('droplets behind TLS, whose authority is trusted', () => {
  const trusted = tls.getCACertificates('default');
  const authority = new TestAuthority('known');
  let droplets: SecureDroplet[];
  let registry: TestRegistry;
  let orchestrator: TestOrchestrator;

  beforeAll(async () => {
    tls.setDefaultCACertificates([...trusted, authority.cert]);
    const old = { ...authority.issue(), minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
    droplets = await Promise.all([
      secureDroplet('good', authority.issue()),
      secureDroplet('self-signed', TestAuthority.selfSigned()),
      secureDroplet('expired', authority.issue({ from: -20, until: -1 })),
      secureDroplet('not valid yet', authority.issue({ from: 1, until: 20 })),
      secureDroplet('made out to another name', authority.issue({ names: ['elsewhere.example'] })),
      secureDroplet('made out to another address', authority.issue({ names: ['127.0.0.2'] })),
      secureDroplet('of an authority that nobody knows', new TestAuthority('unknown').issue()),
      secureDroplet('of a TLS that is too old', old),
    ]);
    registry = await TestRegistry.start(
      droplets.map(({ name, port }, index) => entry(index + 3, name, `https://127.0.0.1:${port}`)),
    );
    orchestrator = await TestOrchestrator.start({ REGISTRY_URL: registry.url });
  });

  afterAll(async () => {
    tls.setDefaultCACertificates(trusted);
    await orchestrator.stop();
    await registry.stop();
    await Promise.all(droplets.map(({ stop }) => stop()));
  });

  it('one with a good certificate is called', async () => {
    const { json } = await orchestrator.task({ droplet_name: 'good', path: '/work' });
    expect([json.status, json.response_body, json.attempts]).toEqual(['success', { secure: true }, 1]);
  });

  it.each(FAULTS)(
    'one whose certificate is %s is unreachable: tried three times, nothing sent, and the reason said',
    async (droplet_name, reason) => {
      const method = 'POST';
      const { status, json } = await orchestrator.task({
        droplet_name,
        method,
        path: '/work',
        payload: { secret: 1 },
        retry_unsafe: false,
      });
      expect(status).toBe(200);
      expect(json).toMatchObject({ status: 'error', response_status: null, attempts: 3, retry_count: 3 });
      expect(json.error).toMatchObject({ code: 'DROPLET_UNREACHABLE', details: { effect: 'none', stopped_by: 'attempts' } });
      expect(json.error.message).toMatch(reason);
      expect(droplets.find(({ name }) => name === droplet_name)?.asked).toEqual([]);
    },
  );

  it('one whose certificate has expired is called again as soon as it has a new one', async () => {
    const expired = droplets.find(({ name }) => name === 'expired')!;
    expired.renew(authority.issue());
    const { json } = await orchestrator.task({ droplet_name: 'expired', path: '/work' });
    expect([json.status, json.response_body, expired.asked]).toEqual(['success', { secure: true }, ['/work']]);
  });
});
