import { ROOT_CONTEXT, trace, TraceFlags, type Context, type Span, type SpanContext, type TraceState } from '@opentelemetry/api';
import { TraceState as ReadTraceState } from '@opentelemetry/core';
import { currentSpan, type SpanIds } from '../common/current.span.js';
import { TRACEPARENT } from './traceparent.js';

/** A span while code runs that belongs to it. */
export class SpanScope implements SpanIds {
  /** What its children are begun in. */
  readonly context: Context;
  /** The `traceparent` of the last attempt that was made in it. */
  lastAttempt: string | null = null;

  constructor(
    readonly span: Span,
    parent: Context,
  ) {
    this.context = trace.setSpan(parent, span);
  }

  get traceId(): string {
    return this.span.spanContext().traceId;
  }

  get spanId(): string {
    return this.span.spanContext().spanId;
  }

  get traceparent(): string {
    return traceparentOf(this.span.spanContext());
  }

  get tracestate(): string | null {
    const text = this.span.spanContext().traceState?.serialize() ?? '';
    return text === '' ? null : text;
  }
}

/** The scope that the running code belongs to. */
export function scopeHere(): SpanScope | null {
  const span = currentSpan.getStore();
  return span instanceof SpanScope ? span : null;
}

/** The span that a `traceparent` names; null for one that is malformed. */
export function spanContextOf(traceparent: string | null | undefined, traceState?: TraceState): SpanContext | null {
  if (!traceparent || !TRACEPARENT.test(traceparent)) return null;
  const [, traceId = '', spanId = '', flags = ''] = traceparent.split('-');
  return { traceId, spanId, traceFlags: parseInt(flags, 16), isRemote: true, ...(traceState ? { traceState } : {}) };
}

/** What is begun below a span of another process; a `tracestate` counts only beside a `traceparent`. */
export function contextOf(traceparent: string | null | undefined, tracestate?: string): Context {
  const parent = spanContextOf(traceparent, tracestate ? new ReadTraceState(tracestate) : undefined);
  return parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
}

export const traceparentOf = ({ traceId, spanId, traceFlags }: SpanContext): string =>
  `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;

export const isSampled = (span: Span): boolean => (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
