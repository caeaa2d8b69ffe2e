import { describe, expect, it } from '@jest/globals';
import { SignJWT, UnsecuredJWT } from 'jose';
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { ManualClock } from '../../test/support/manual.clock.js';
import { publicKey, Tokens } from './jwt.js';

const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
const clock = new ManualClock();
const NOW = clock.now() / 1000;
const RULES = { issuer: 'https://issuer/', audience: 'orchestrator' };
const GOOD = { iss: RULES.issuer, aud: RULES.audience, sub: 'ann', scope: 'tasks:read tasks:write', exp: NOW + 60 };

const tokens = new Tokens(publicKey(pemOf(rsa.publicKey)), RULES, clock);
const signed = (claims: object, { key = rsa.privateKey, alg = 'RS256' } = {}): Promise<string> =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg }).sign(key);
const callerOf = async (token: string | Promise<string>) => (await tokens.authenticate(await token))?.identity ?? null;

describe('a token', () => {
  it('that is good says who asks, and what for', async () => {
    expect(await callerOf(signed(GOOD))).toEqual({
      ...{ name: 'ann', scopes: ['tasks:write', 'tasks:read'], droplets: null, isAdmin: false },
    });
    expect(await callerOf(signed({ ...GOOD, scope: 'openid admin' }))).toMatchObject({ scopes: ['admin'], isAdmin: true });
    expect(await callerOf(signed({ ...GOOD, aud: ['other', RULES.audience] }))).not.toBeNull();
  });

  it.each([
    ['another issuer', { iss: 'https://issuer' }],
    ['no issuer', { iss: undefined }],
    ['another audience', { aud: 'other' }],
    ['no audience', { aud: undefined }],
    ['no name', { sub: undefined }],
    ['an empty name', { sub: '' }],
    ['a name with a line feed', { sub: 'ann\nbob' }],
    ['a name that no store takes', { sub: 'ann\0' }],
    ['a name of half a character', { sub: '\ud800' }],
    ['too long a name', { sub: 'a'.repeat(256) }],
    ['no end', { exp: undefined }],
    ['an end of long ago', { exp: NOW - 31 }],
    ['a beginning too far ahead', { nbf: NOW + 31 }],
  ])('with %s is nobody’s', async (_fault, change) => {
    expect(await callerOf(signed({ ...GOOD, ...change }))).toBeNull();
  });

  it.each([
    ['has ended a moment ago', { exp: NOW - 29 }],
    ['begins in a moment', { nbf: NOW + 29 }],
  ])('that %s is good: clocks differ', async (_what, change) => {
    expect(await callerOf(signed({ ...GOOD, ...change }))).toMatchObject({ name: 'ann' });
  });

  it.each([undefined, '', 'tasks:everything', 'ADMIN', ['admin'], { admin: true }])(
    'with the scope %j may nothing',
    async (scope) => {
      expect(await callerOf(signed({ ...GOOD, scope }))).toMatchObject({ scopes: [], isAdmin: false });
    },
  );

  it('without a signature is nobody’s', async () => {
    expect(await callerOf(new UnsecuredJWT(GOOD).encode())).toBeNull();
    const [header, payload] = (await signed(GOOD)).split('.');
    expect(await callerOf(`${header}.${payload}.`)).toBeNull();
  });

  it('that somebody else has signed is nobody’s', async () => {
    expect(await callerOf(signed(GOOD, { key: stranger.privateKey }))).toBeNull();
  });

  it('signed with the public key as a secret is nobody’s', async () => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(GOOD)}`;
    const forged = `${text}.${createHmac('sha256', pemOf(rsa.publicKey)).update(text).digest('base64url')}`;
    expect(await callerOf(forged)).toBeNull();
  });

  it('whose claims were changed is nobody’s', async () => {
    const [header, , signature] = (await signed(GOOD)).split('.');
    const payload = Buffer.from(JSON.stringify({ ...GOOD, scope: 'admin' })).toString('base64url');
    expect(await callerOf(`${header}.${payload}.${signature}`)).toBeNull();
  });

  it.each(['', '.', '..', 'a.b.c', 'key', 'e30.e30.e30', '.'.repeat(10_000)])('that is none is nobody’s: %j', async (text) => {
    expect(await callerOf(text)).toBeNull();
  });
});

describe('the algorithms', () => {
  const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });
  it.each([
    ['RS256', rsa],
    ['RS512', rsa],
    ['PS256', rsa],
    ['PS384', rsa],
    ['ES256', ec('P-256')],
    ['ES384', ec('P-384')],
    ['ES512', ec('P-521')],
    ['EdDSA', generateKeyPairSync('ed25519')],
  ] as const)('%s is taken', async (alg, pair) => {
    const own = new Tokens(publicKey(pemOf(pair.publicKey)), RULES, clock);
    expect(await own.authenticate(await signed(GOOD, { key: pair.privateKey, alg }))).not.toBeNull();
  });
});
