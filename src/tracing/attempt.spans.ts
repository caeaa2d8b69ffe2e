import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Attributes,
  type Link,
  type Span,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api';
import { spanContextOf, traceparentOf, type SpanScope } from './span.scope.js';
import type { CallTrace, TracedAttempt, TracedCall } from './spans.js';

interface Begun {
  readonly span: Span;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** The spans of a call's attempts: each a client's, linked to the one before. */
export class AttemptSpans implements CallTrace {
  private readonly begun = new Map<number, Begun>();
  private previous: SpanContext | null;

  constructor(
    private readonly tracer: Tracer,
    private readonly scope: SpanScope | null,
    private readonly about: TracedCall,
  ) {
    this.previous = spanContextOf(about.lastAttempt);
  }

  child(attempt: number): string {
    return traceparentOf(this.begin(attempt, Date.now()).span.spanContext());
  }

  /** The span of an attempt that had nowhere to go is made here: no header was asked for. */
  readonly ended = (made: TracedAttempt): void => {
    const { attempt, startedAt, durationMs, outcome } = made;
    const { span, at } = this.begun.get(attempt) ?? this.begin(attempt, startedAt);
    this.begun.delete(attempt);
    const failure = failureOf(outcome);
    span.setAttributes({ ...placeOf(made), ...answerOf(outcome) });
    if (failure !== null) span.setAttribute('error.type', failure).setStatus({ code: SpanStatusCode.ERROR });
    span.end(at + durationMs);
  };

  private begin(attempt: number, at: number): Begun {
    const { droplet, method, taskId } = this.about;
    const attributes = {
      ...{ 'http.request.method': method, 'peer.service': droplet },
      ...{ 'orchestrator.task.id': taskId, 'orchestrator.task.attempt': attempt },
      ...(attempt > 1 ? { 'http.request.resend_count': attempt - 1 } : {}),
    };
    const options = { kind: SpanKind.CLIENT, startTime: at, attributes, links: this.links };
    const span = this.tracer.startSpan(`${method} ${droplet}`, options, this.scope?.context ?? ROOT_CONTEXT);
    this.previous = span.spanContext();
    if (this.scope) this.scope.lastAttempt = traceparentOf(this.previous);
    const begun = { span, at };
    this.begun.set(attempt, begun);
    return begun;
  }

  private get links(): Link[] {
    return this.previous ? [{ context: this.previous, attributes: { 'orchestrator.link': 'previous attempt' } }] : [];
  }
}

/** Where it went, without the query, which may hold what nobody else should see. */
function placeOf({ target }: TracedAttempt): Attributes {
  if (!target) return {};
  const { protocol, hostname, port, origin, pathname } = new URL(target.url);
  const standard = protocol === 'https:' ? 443 : 80;
  return { 'url.full': origin + pathname, 'server.address': hostname, 'server.port': port === '' ? standard : Number(port) };
}

const answerOf = ({ status }: TracedAttempt['outcome']): Attributes =>
  status === undefined ? {} : { 'http.response.status_code': status };

/** Why an attempt is an error: the status it was answered with, or how it ended otherwise; null for none. */
function failureOf({ kind, status }: TracedAttempt['outcome']): string | null {
  if (kind !== 'answered' || status === undefined) return kind;
  return status >= 400 ? String(status) : null;
}
