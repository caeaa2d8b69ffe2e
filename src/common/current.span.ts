import { AsyncLocalStorage } from 'node:async_hooks';

/** What names a span in the log. */
export interface SpanIds {
  readonly traceId: string;
  readonly spanId: string;
}

/** The span that the running code belongs to. Where traces are off nobody sets it and the log does not ask. */
export const currentSpan = new AsyncLocalStorage<SpanIds>();

/** The fields that every log line gets while traces are on. */
export function spanFields(): object {
  const span = currentSpan.getStore();
  return span ? { trace_id: span.traceId, span_id: span.spanId } : {};
}
