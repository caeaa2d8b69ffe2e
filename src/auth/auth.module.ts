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
import { LastingAccess } from './lasting.access.js';
import type { RemoteParts } from './remote.keys.js';

async function authenticator(settings: Settings, parts: RemoteParts): Promise<Authenticator> {
  switch (settings.AUTH_MODE) {
    case 'none':
      return new NoAuthenticator();
    case 'apikey':
      return ApiKeys.open(settings.API_KEYS_FILE ?? '', parts);
    case 'jwt':
      return (await import('./tokens.js')).openTokens(settings, parts);
  }
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
