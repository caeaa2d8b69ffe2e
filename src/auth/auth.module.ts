import { Module } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Lifecycle } from '../common/lifecycle.js';
import { Log } from '../common/log.js';
import { Settings } from '../config/settings.js';
import { OutboundModule } from '../outbound/outbound.module.js';
import { RetryPolicy } from '../outbound/retry.policy.js';
import { ApiKeys } from './api.keys.js';
import { Audit } from './audit.js';
import { AuthGuard } from './auth.guard.js';
import { Authenticator, NoAuthenticator } from './authenticator.js';
import { CallerTraffic } from './caller.traffic.js';
import { publicKey, Tokens } from './jwt.js';
import { LastingAccess } from './lasting.access.js';
import { RemoteKeys, type RemoteParts } from './remote.keys.js';

function authenticator(settings: Settings, parts: RemoteParts): Authenticator | Promise<Authenticator> {
  switch (settings.AUTH_MODE) {
    case 'none':
      return new NoAuthenticator();
    case 'apikey':
      return ApiKeys.open(settings.API_KEYS_FILE ?? '', parts);
    case 'jwt':
      return tokens(settings, parts);
  }
}

function tokens({ JWT_ISSUER, JWT_AUDIENCE, JWT_JWKS_URL, JWT_PUBLIC_KEY }: Settings, parts: RemoteParts): Tokens {
  const rules = { issuer: JWT_ISSUER ?? '', audience: JWT_AUDIENCE ?? '' };
  if (JWT_JWKS_URL === null) return new Tokens(publicKey(JWT_PUBLIC_KEY ?? ''), rules, parts.clock);
  const remote = new RemoteKeys(JWT_JWKS_URL, parts);
  void remote.watch();
  return new Tokens(remote.find, rules, parts.clock, remote);
}

/** Who may ask for what; contract §7. */
@Module({
  imports: [OutboundModule],
  providers: [
    ...[AuthGuard, LastingAccess, CallerTraffic, Audit],
    {
      provide: Authenticator,
      inject: [Settings, RetryPolicy, Lifecycle, Clock, Log],
      useFactory: (settings: Settings, policy: RetryPolicy, lifecycle: Lifecycle, clock: Clock, log: Log) =>
        authenticator(settings, { policy, lifecycle, clock, log }),
    },
  ],
  exports: [LastingAccess],
})
export class AuthModule {}
