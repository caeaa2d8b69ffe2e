import type { Settings } from '../config/settings.js';
import { publicKey, Tokens } from './jwt.js';
import { RemoteKeys, type RemoteParts } from './remote.keys.js';

/** AUTH_MODE=jwt, with the one key of JWT_PUBLIC_KEY or those of JWT_JWKS_URL. Loaded only then: jose is 46 files. */
export function openTokens({ JWT_ISSUER, JWT_AUDIENCE, JWT_JWKS_URL, JWT_PUBLIC_KEY }: Settings, parts: RemoteParts): Tokens {
  const rules = { issuer: JWT_ISSUER ?? '', audience: JWT_AUDIENCE ?? '' };
  if (JWT_JWKS_URL === null) return new Tokens(publicKey(JWT_PUBLIC_KEY ?? ''), rules, parts.clock);
  const remote = new RemoteKeys(JWT_JWKS_URL, parts);
  void remote.watch();
  return new Tokens(remote.find, rules, parts.clock, remote);
}
