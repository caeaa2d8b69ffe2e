import { Global, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Log } from '../common/log.js';
import { Settings } from '../config/settings.js';
import { NO_TRACING, Tracing } from './tracing.js';

/** OpenTelemetry takes 20 MiB and 100 ms: it is loaded only where it is asked for. */
async function openTracing(settings: Settings, clock: Clock, log: Log): Promise<Tracing> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } = settings;
  if (endpoint === null) return NO_TRACING;
  const { openSpans } = await import('./otel.provider.js');
  return new Tracing(openSpans({ settings, endpoint, clock, log }));
}

/** Traces of requests, tasks and attempts, for who has a collector. */
@Global()
@Module({
  providers: [{ provide: Tracing, inject: [Settings, Clock, Log], useFactory: openTracing }],
  exports: [Tracing],
})
export class TracingModule implements OnApplicationShutdown {
  constructor(private readonly tracing: Tracing) {}

  /** Sends the last spans. */
  async onApplicationShutdown(): Promise<void> {
    await this.tracing.spans?.close();
  }
}
