import { ROOT_CONTEXT, SpanKind, SpanStatusCode, type Attributes, type Tracer } from '@opentelemetry/api';
import { currentSpan } from '../common/current.span.js';
import { AttemptSpans } from './attempt.spans.js';
import { contextOf, isSampled, scopeHere, SpanScope } from './span.scope.js';
import {
  Spans,
  type CallTrace,
  type RequestSpan,
  type StoredTrace,
  type TaskStand,
  type TracedCall,
  type TracedRequest,
  type TracedTask,
} from './spans.js';

/** Spans by OpenTelemetry, with its names for what HTTP knows and `orchestrator.…` for what only we know. */
export class OtelSpans extends Spans {
  constructor(
    private readonly tracer: Tracer,
    private readonly shutdown: () => Promise<void>,
  ) {
    super();
  }

  request(request: TracedRequest): RequestSpan {
    const { headers, method, route } = request;
    const parent = contextOf(headers.traceparent?.toString(), headers.tracestate?.toString());
    const name = route === null ? method : `${method} ${route}`;
    const span = this.tracer.startSpan(name, { kind: SpanKind.SERVER, attributes: requestAttributes(request) }, parent);
    const scope = new SpanScope(span, parent);
    return {
      traceparent: scope.traceparent,
      run: (code) => currentSpan.run(scope, code),
      end: (status) => {
        if (status === null) span.setAttribute('error.type', 'connection_closed');
        else span.setAttribute('http.response.status_code', status);
        if (status !== null && status >= 500)
          span.setAttribute('error.type', String(status)).setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      },
    };
  }

  async task<T>({ id, dropletName, method }: TracedTask, work: () => Promise<T>, stored?: StoredTrace): Promise<T> {
    const parent = stored ? contextOf(stored.traceparent, stored.tracestate) : (scopeHere()?.context ?? ROOT_CONTEXT);
    const kind = stored ? SpanKind.CONSUMER : SpanKind.INTERNAL;
    const attributes = {
      ...{ 'orchestrator.task.id': id, 'orchestrator.droplet': dropletName, 'orchestrator.task.method': method },
      'orchestrator.task.asynchronous': stored !== undefined,
    };
    const span = this.tracer.startSpan(`task ${dropletName}`, { kind, attributes }, parent);
    try {
      return await currentSpan.run(new SpanScope(span, parent), work);
    } catch (error) {
      span.setAttribute('error.type', codeOf(error)).setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  }

  stands({ status, attempts, error }: TaskStand): void {
    const span = scopeHere()?.span;
    span?.setAttributes({ 'orchestrator.task.status': status, 'orchestrator.task.attempts': attempts });
    if (error) span?.setAttribute('error.type', error.code).setStatus({ code: SpanStatusCode.ERROR });
  }

  call(call: TracedCall): CallTrace {
    return new AttemptSpans(this.tracer, scopeHere(), call);
  }

  toStore<T extends StoredTrace>(known: T): T {
    const scope = scopeHere();
    if (!scope) return known;
    const { tracestate, lastAttempt } = scope;
    return {
      ...known,
      traceparent: known.traceparent ?? scope.traceparent,
      ...(tracestate === null ? {} : { tracestate }),
      ...(lastAttempt !== null && isSampled(scope.span) ? { lastAttempt } : {}),
    };
  }

  get tracestate(): string | null {
    return scopeHere()?.tracestate ?? null;
  }

  close(): Promise<void> {
    return this.shutdown();
  }
}

function requestAttributes({ id, method, route, path, httpVersion, headers }: TracedRequest): Attributes {
  const agent = headers['user-agent'];
  return {
    ...{ 'http.request.method': method, 'url.path': path, 'url.scheme': 'http', 'network.protocol.version': httpVersion },
    ...(route === null ? {} : { 'http.route': route }),
    ...(agent === undefined ? {} : { 'user_agent.original': agent }),
    'orchestrator.request.id': id,
  };
}

/** Errors of our own have a code. */
const codeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error ? String(error.code) : error.name;
};
