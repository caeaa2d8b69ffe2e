import { diag, DiagLogLevel, type Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import { randomUUID } from 'node:crypto';
import type { Clock } from '../common/clock.js';
import type { Log } from '../common/log.js';
import type { Settings } from '../config/settings.js';
import { VERSION } from '../config/version.js';
import { OtelSpans } from './otel.spans.js';
import type { Spans } from './spans.js';

/** Spans that wait to be sent, about 3 KB each; further ones are dropped. */
const MAX_WAITING = 8192;
const MAX_BATCH = 1024;
const SEND_EVERY_MS = 1000;
/** A collector that takes longer loses the batch. */
const SEND_WITHIN_MS = 5000;
/** The end of the process waits no longer for the last spans. */
const CLOSE_WITHIN_MS = 2000;
/** A collector that is away is told of no more often. */
const TELL_EVERY_MS = 60_000;

/** What spans are opened with. */
export interface SpansParts {
  readonly settings: Settings;
  readonly endpoint: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Spans that go to an OpenTelemetry collector, by OTLP over HTTP; it may be slow or away without anybody else noticing. */
export function openSpans({ settings, endpoint, clock, log }: SpansParts): Spans {
  tellOfFaults(clock, log);
  const exporter = new OTLPTraceExporter({
    url: `${endpoint}/v1/traces`,
    timeoutMillis: SEND_WITHIN_MS,
    ...(settings.OTEL_EXPORTER_OTLP_HEADERS ? { headers: { ...settings.OTEL_EXPORTER_OTLP_HEADERS } } : {}),
  });
  const batches = { maxQueueSize: MAX_WAITING, maxExportBatchSize: MAX_BATCH, scheduledDelayMillis: SEND_EVERY_MS };
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      ...{ 'service.name': settings.OTEL_SERVICE_NAME ?? settings.SERVICE_NAME, 'service.version': VERSION },
      ...{ 'service.instance.id': randomUUID(), 'deployment.environment.name': settings.ENVIRONMENT },
    }),
    sampler: samplerOf(settings),
    spanProcessors: [new BatchSpanProcessor({ exporter, exportTimeoutMillis: SEND_WITHIN_MS, ...batches })],
  });
  const tracer: Tracer = provider.getTracer('fpai-orchestrator', VERSION);
  return new OtelSpans(tracer, async () => {
    await Promise.race([provider.shutdown().catch(() => undefined), clock.sleep(CLOSE_WITHIN_MS)]);
  });
}

function samplerOf({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: share }: Settings): Sampler {
  const roots = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: () => new TraceIdRatioBasedSampler(share),
  };
  switch (name) {
    case 'parentbased_always_on':
      return new ParentBasedSampler({ root: roots.always_on() });
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: roots.always_off() });
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: roots.traceidratio() });
    default:
      return roots[name]();
  }
}

/** What the library has to say: of a collector that is away, and of spans that it has dropped. */
function tellOfFaults(clock: Clock, log: Log): void {
  let toldAt = -Infinity;
  const tell = (reason: string): void => {
    if (clock.monotonic() - toldAt < TELL_EVERY_MS) return;
    toldAt = clock.monotonic();
    log.warn({ reason: reason.slice(0, 300) }, 'traces are being lost');
  };
  const nothing = (): void => undefined;
  const logger = { error: tell, warn: tell, info: nothing, debug: nothing, verbose: nothing };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
}
