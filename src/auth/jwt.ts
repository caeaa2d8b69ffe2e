import type { OnModuleDestroy } from '@nestjs/common';
import { jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { createPublicKey } from 'node:crypto';
import { SCOPES, type Identity } from '../common/access.js';
import type { Clock } from '../common/clock.js';
import { Authenticator, CALLER_NAME, UNLIMITED, type KnownCaller } from './authenticator.js';
import type { RemoteKeys } from './remote.keys.js';

/** Signatures with a public key only: with a secret one, whoever knows the public key could sign. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];

/** How far the clock of who signs may be off. */
const LEEWAY_SECONDS = 30;

/** What a token must say. */
export interface TokenRules {
  readonly issuer: string;
  readonly audience: string;
}

/** AUTH_MODE=jwt: tokens that somebody else has signed; claims `sub` (the name), `scope` and `exp` (RFC 9068). */
export class Tokens extends Authenticator implements OnModuleDestroy {
  constructor(
    private readonly keys: JWTVerifyGetKey,
    private readonly rules: TokenRules,
    private readonly clock: Clock,
    private readonly remote: RemoteKeys | null = null,
  ) {
    super();
  }

  /** Null too while no key was ever had: a token that cannot be checked is nobody's. The log says why it was not. */
  async authenticate(credential: string): Promise<KnownCaller | null> {
    try {
      const { payload } = await jwtVerify(credential, this.keys, {
        ...this.rules,
        algorithms: ALGORITHMS,
        clockTolerance: LEEWAY_SECONDS,
        currentDate: new Date(this.clock.now()),
        requiredClaims: ['sub', 'exp'],
      });
      const identity = identityOf(payload);
      return identity && { identity, limits: UNLIMITED, expiresAt: endOf(payload) };
    } catch {
      return null;
    }
  }

  onModuleDestroy(): void {
    this.remote?.stop();
  }
}

/** One key for every token. */
export function publicKey(pem: string): JWTVerifyGetKey {
  const key = createPublicKey(pem);
  return () => key;
}

/** From when on a token is refused, epoch milliseconds: whole seconds are compared. */
const endOf = ({ exp = 0 }: JWTPayload): number => (Math.ceil(exp) + LEEWAY_SECONDS) * 1000;

function identityOf({ sub, scope }: JWTPayload): Identity | null {
  if (typeof sub !== 'string' || !CALLER_NAME.test(sub)) return null;
  const given = typeof scope === 'string' ? scope.split(' ') : [];
  const scopes = SCOPES.filter((known) => given.includes(known));
  return { name: sub, scopes, droplets: null, isAdmin: scopes.includes('admin') };
}
