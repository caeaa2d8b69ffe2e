import { describe, expect, it } from '@jest/globals';
import { TraceContext } from './trace-context.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('trace context', () => {
  it('stays in the trace of the caller, with a span of its own for each attempt', () => {
    const trace = TraceContext.from(`00-${TRACE}-${SPAN}-01`);
    const spans = [trace.child(), trace.child(), trace.child()];
    for (const span of spans) expect(span).toMatch(new RegExp(`^00-${TRACE}-(?!${SPAN})[0-9a-f]{16}-01$`));
    expect(new Set(spans).size).toBe(3);
  });

  it.each([
    ['absent', undefined],
    ['empty', ''],
    ['nonsense', 'hello'],
    ['of version ff', `ff-${TRACE}-${SPAN}-01`],
    ['of zeros as trace', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['of zeros as span', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['in upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['too long', `00-${TRACE}-${SPAN}-01-more`],
    ['sent twice', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
    ['with a line break', `00-${TRACE}-${SPAN}-01\r\nx: y`],
  ])('starts a trace of its own when the header is %s', (_title, header) => {
    const trace = TraceContext.from(header);
    expect(trace.child()).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(trace.child()).not.toContain(TRACE);
    expect(trace.child().slice(0, 35)).toBe(trace.child().slice(0, 35));
    expect(TraceContext.from(header).child().slice(0, 35)).not.toBe(trace.child().slice(0, 35));
  });
});
