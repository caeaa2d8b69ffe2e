import { HttpModule, HttpService } from '@nestjs/axios';
import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { AxiosHeaders } from 'axios';
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
 * The axios instance is lean: no transforms, and no status is an error.
 */
@Module({
  imports: [
    MetricsModule,
    HttpModule.registerAsync({
      imports: [TransportModule],
      inject: [UndiciTransport],
      useFactory: (transport: UndiciTransport) => ({
        adapter: transport.adapter,
        transformRequest: [],
        transformResponse: [],
        validateStatus: null,
      }),
    }),
  ],
  providers: [RetryPolicy, DropletClient, Reachability, Traffic, ResponseMemory],
  exports: [RetryPolicy, DropletClient, Reachability, Traffic],
})
export class OutboundModule {
  /** axios merges its defaults anew for each call: without the thirty that mean nothing to our transport, it takes half as long. */
  constructor({ axiosRef }: HttpService) {
    const { adapter, transformRequest, transformResponse, validateStatus } = axiosRef.defaults;
    axiosRef.defaults = { adapter, transformRequest, transformResponse, validateStatus, headers: new AxiosHeaders() } as never;
  }
}
