import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../test/support/manual.clock.js';
import { TestCollector } from '../../test/support/collector.js';
import { until } from '../../test/support/http.client.js';
import { SystemClock, type Clock } from '../common/clock.js';
import { currentSpan, spanFields } from '../common/current.span.js';
import { CircuitOpenError } from '../common/errors.js';
import { createLog } from '../common/log.js';
import { parseSettings } from '../config/settings.js';
import { openSpans } from './otel.provider.js';
import type { Spans, TracedRequest } from './spans.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const TASK = { id: 't1', dropletName: 'echo', method: 'GET' };

const request = (headers: TracedRequest['headers'] = {}): TracedRequest => ({
  ...{ id: 'r1', method: 'POST', route: '/tasks', path: '/tasks', httpVersion: '1.1', headers },
});

let collector: TestCollector;
let logged: string[];

function open(environment: Record<string, string> = {}, clock: Clock = new SystemClock()): Spans {
  const log = createLog('info', { write: (line: string) => void logged.push((JSON.parse(line) as { msg: string }).msg) });
  return openSpans({ settings: parseSettings(environment), endpoint: collector.url, clock, log });
}

beforeEach(async () => {
  collector = await TestCollector.start();
  logged = [];
});
afterEach(() => collector.stop());

describe('which traces are kept', () => {
  /** True for a trace of our own, and for those of callers who collect theirs and who do not. */
  async function kept(OTEL_TRACES_SAMPLER: string, OTEL_TRACES_SAMPLER_ARG = '1'): Promise<boolean[]> {
    const spans = open({ OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG });
    const callers = [undefined, `00-${TRACE}-${SPAN}-01`, `00-${TRACE}-${SPAN}-00`];
    const flags = callers.map((traceparent) => {
      const span = spans.request(request(traceparent === undefined ? {} : { traceparent }));
      span.end(200);
      return span.traceparent.endsWith('01');
    });
    await spans.close();
    expect(collector.spans).toHaveLength(flags.filter(Boolean).length);
    return flags;
  }

  it.each([
    ['always_on', '1', [true, true, true]],
    ['always_off', '1', [false, false, false]],
    ['traceidratio', '1', [true, true, true]],
    ['traceidratio', '0', [false, false, false]],
    ['parentbased_always_on', '1', [true, true, false]],
    ['parentbased_always_off', '1', [false, true, false]],
    ['parentbased_traceidratio', '0', [false, true, false]],
  ])('%s %s', async (name, share, expected) => {
    expect(await kept(name, share)).toEqual(expected);
  });
});

describe('the spans of a task', () => {
  it('are errors with a code when it was refused', async () => {
    const spans = open();
    const refused = new CircuitOpenError('echo', 'breaker', 1000);
    await expect(spans.task(TASK, () => Promise.reject(refused))).rejects.toBe(refused);
    await expect(spans.task(TASK, () => Promise.reject(new TypeError('x')))).rejects.toThrow(TypeError);
    await spans.close();
    expect(collector.spans.map(({ isError, attributes }) => [isError, attributes['error.type']])).toEqual([
      [true, 'CIRCUIT_OPEN'],
      [true, 'TypeError'],
    ]);
  });

  it('take what was stored for their parent, and store what comes after', async () => {
    const spans = open();
    const stored = { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: 'vendor=1' };
    const after = await spans.task(
      TASK,
      () => {
        const call = spans.call({ droplet: 'Echo', method: 'GET', taskId: 't1', lastAttempt: null });
        const lastAttempt = call.child(1);
        const outcome = { kind: 'answered', status: 503 };
        call.ended?.({ attempt: 1, startedAt: Date.now(), durationMs: 5, target: { url: 'https://h/a?b=c' }, outcome });
        expect(spans.tracestate).toBe('vendor=1');
        expect(spanFields()).toEqual({ trace_id: TRACE, span_id: currentSpan.getStore()?.spanId });
        return Promise.resolve([spans.toStore(stored), { ...stored, lastAttempt }]);
      },
      stored,
    );
    expect(after[0]).toEqual(after[1]);
    await spans.close();
    const attempt = collector.spans.find(({ kind }) => kind === 'client');
    expect(attempt?.attributes).toMatchObject({ 'url.full': 'https://h/a', 'server.port': 443 });
    expect(collector.spans.find(({ kind }) => kind === 'consumer')).toMatchObject({ parentSpanId: SPAN, traceId: TRACE });
  });

  it('have one for an attempt that had nowhere to go', async () => {
    const spans = open();
    // The SDK takes a number below `performance.now()` for one of that clock.
    const startedAt = Date.parse('2027-01-15T08:00:00Z');
    const call = spans.call({ droplet: 'Echo', method: 'GET', taskId: 't1', lastAttempt: `00-${TRACE}-${SPAN}-01` });
    call.ended?.({ attempt: 2, startedAt, durationMs: 0, target: null, outcome: { kind: 'not-sent' } });
    await spans.close();
    expect(collector.spans).toMatchObject([{ start: startedAt, links: [SPAN], attributes: { 'error.type': 'not-sent' } }]);
  });

  it('know nothing to store where nothing is traced', async () => {
    const spans = open();
    expect(spans.toStore({ traceparent: null })).toEqual({ traceparent: null });
    expect(spanFields()).toEqual({});
    await spans.close();
  });
});

describe('a request', () => {
  it('is an error when the fault is ours, or its caller was gone before the answer', async () => {
    const spans = open();
    for (const status of [404, 503, null]) spans.request(request()).end(status);
    await spans.close();
    expect(collector.spans.map(({ isError, attributes }) => [isError, attributes['error.type']])).toEqual([
      [false, undefined],
      [true, '503'],
      [false, 'connection_closed'],
    ]);
  });
});

describe('a collector', () => {
  it('that hangs holds the end for two seconds', async () => {
    let release = (): void => undefined;
    collector.misbehave((_seen, response) => (release = () => void response.end()));
    const clock = new ManualClock();
    const spans = open({}, clock);
    spans.request(request()).end(200);
    let isClosed = false;
    const closed = spans.close().then(() => (isClosed = true));
    clock.advance(1999);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isClosed).toBe(false);
    clock.advance(1);
    await closed;
    // So that nothing of it outlives the test.
    await until(() => collector.requests.length === 1);
    release();
  });

  it('that refuses is told of in the log, once a minute', async () => {
    collector.misbehave((_seen, response) => void response.writeHead(400).end());
    const clock = new ManualClock();
    const spans = open({}, clock);
    const lose = async (count: number): Promise<void> => {
      spans.request(request()).end(200);
      await until(() => collector.requests.length === count);
    };
    await lose(1);
    await until(() => logged.length > 0);
    await lose(2);
    clock.advance(60_000);
    await lose(3);
    await until(() => logged.length > 1);
    expect(logged).toEqual(['traces are being lost', 'traces are being lost']);
    await spans.close();
  });
});
