import { HttpModule, HttpService } from '@nestjs/axios';
import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { MetricsModule } from '../metrics/metrics.module.js';
import { DropletClient } from './droplet.client.js';
import { Reachability } from './reachability.js';
import { ResponseMemory } from './response.memory.js';
import { RetryPolicy } from './retry.policy.js';
import { Traffic } from './traffic.js';
import { UndiciTransport } from './undici.adapter.js';

@Module({ providers: [UndiciTransport], exports: [UndiciTransport] })
class TransportModule implements OnApplicationShutdown {
  constructor(private readonly transport: UndiciTransport) {}

  async onApplicationShutdown(): Promise<void> {
    await this.transport.close();
  }
}

/**
 * The only door out. It exports the policy, not the client beneath it, so no call can go around the policy.
 */
@Module({
  imports: [
    MetricsModule,
    HttpModule.registerAsync({
      imports: [TransportModule],
      inject: [UndiciTransport],
      useFactory: ({ adapter }: UndiciTransport) => ({ adapter }),
    }),
  ],
  providers: [RetryPolicy, DropletClient, Reachability, Traffic, ResponseMemory],
  exports: [RetryPolicy, DropletClient, Reachability, Traffic],
})
export class OutboundModule {
  /** axios merges its defaults anew for each call: 11 µs, and 3 µs without the thirty that mean nothing to our transport. */
  constructor({ axiosRef: { defaults } }: HttpService) {
    for (const name of Object.keys(defaults)) if (name !== 'adapter') Reflect.deleteProperty(defaults, name);
  }
}
