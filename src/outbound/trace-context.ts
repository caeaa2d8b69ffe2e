import { randomBytes } from '../common/random.js';
import type { CallTrace } from '../tracing/spans.js';
import { TRACEPARENT } from '../tracing/traceparent.js';

/** The trace that a task belongs to while nobody collects traces: the caller's (W3C Trace Context), or one of its own. */
export class TraceContext implements CallTrace {
  private constructor(
    private readonly traceId: string,
    private readonly flags: string,
  ) {}

  /** @param traceparent the caller's header; one that is malformed starts a new trace, as the standard asks */
  static from(traceparent: string | undefined): TraceContext {
    if (!traceparent || !TRACEPARENT.test(traceparent)) return new TraceContext(randomBytes(16).toString('hex'), '00');
    const [, traceId = '', , flags = '00'] = traceparent.split('-');
    return new TraceContext(traceId, flags);
  }

  /** A `traceparent` with a span of its own, for one attempt. */
  child(): string {
    return `00-${this.traceId}-${randomBytes(8).toString('hex')}-${this.flags}`;
  }
}
