import type { Spans } from './spans.js';

/** Where traces are on, what makes their spans; null where they are off, and nothing of OpenTelemetry is loaded. */
export class Tracing {
  constructor(readonly spans: Spans | null) {}
}

/** Traces are off. */
export const NO_TRACING = new Tracing(null);
