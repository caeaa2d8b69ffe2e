import { getEventListeners } from 'node:events';
import { HttpService } from '@nestjs/axios';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import { until } from '../../test/support/http.client.js';
import { SkippingClock } from '../../test/support/manual.clock.js';
import { freePort, reply, TestServer } from '../../test/support/server.js';
import { DropletNotFoundError } from '../common/errors.js';
import { parseSettings } from '../config/settings.js';
import { ResponseMemory, type PausableReader } from './response.memory.js';
import type { CallResult } from './circuit.breaker.js';
import type { Execution } from './execution.js';
import { NO_GATE, type Gate } from './gate.js';
import type { Cancellation, OutboundCall, RetryPlan } from './outbound.call.js';
import { RetryPolicy } from './retry.policy.js';
import { targetUrl } from './target-url.js';
import { UndiciTransport } from './undici.adapter.js';

const PLAN: RetryPlan = {
  maxAttempts: 3,
  timeoutMs: 30_000,
  attemptTimeoutMs: 10_000,
  backoff: { baseMs: 1000, maxMs: 4000, jitter: 'none' },
  retryUnsafe: true,
  retryStatuses: [],
  isPatient: false,
};

/** Keeps whom it was told of. */
class WatchedMemory extends ResponseMemory {
  readonly readers = new Set<PausableReader>();

  override add(reader: PausableReader, bytes: number): void {
    this.readers.add(reader);
    super.add(reader, bytes);
  }
}

describe('retry policy', () => {
  let droplet: TestServer;
  let transport: UndiciTransport;
  let clock: SkippingClock;
  let memory: WatchedMemory;
  let policy: RetryPolicy;

  beforeAll(async () => {
    droplet = await TestServer.start(() => undefined);
  });
  beforeEach(() => {
    droplet.seen.length = 0;
    transport = new UndiciTransport();
    clock = new SkippingClock();
    memory = new WatchedMemory(parseSettings({}));
    policy = new RetryPolicy(new HttpService(axios.create({ adapter: transport.adapter })), memory, clock);
  });
  afterEach(() => transport.close());
  afterAll(() => droplet.stop());

  const callTo = (endpoint: () => string, method = 'GET'): OutboundCall => ({
    method,
    target: () => targetUrl(endpoint(), '/x'),
    headers: () => ({}),
    body: null,
    responseLimit: 1000,
  });

  const run = (plan: Partial<RetryPlan> = {}, cancellation: Partial<Cancellation> = {}, method = 'GET'): Promise<Execution> =>
    policy.execute(
      callTo(() => droplet.url, method),
      { ...PLAN, ...plan },
      { stop: () => [], abort: new AbortController().signal, ...cancellation },
    );

  /** The nth request gets the nth status, the last one for ever. */
  const answer = (statuses: readonly number[], headers: Record<string, string> = {}): void => {
    droplet.handler = (_seen, response) => reply(response, statuses[droplet.hits() - 1] ?? statuses.at(-1) ?? 200, {}, headers);
  };

  it('does not repeat what worked', async () => {
    answer([200]);
    const { outcome, attempts, stoppedBy } = await run();
    expect([outcome.kind, attempts.length, stoppedBy, droplet.hits(), clock.sleeps]).toEqual(['answered', 1, null, 1, []]);
  });

  it('waits 1 s and 2 s, and makes three calls in all when every one fails', async () => {
    answer([500]);
    const { outcome, attempts, stoppedBy } = await run();
    expect(outcome).toMatchObject({ kind: 'answered', status: 500 });
    expect([droplet.hits(), clock.sleeps, stoppedBy]).toEqual([3, [1000, 2000], 'attempts']);
    expect(attempts.map(({ attempt, delayMs }) => [attempt, delayMs])).toEqual([
      [1, 0],
      [2, 1000],
      [3, 2000],
    ]);
    expect(attempts.map(({ startedAt }) => startedAt - clock.now())).toEqual([-3000, -2000, 0]);
  });

  it('goes on to the success when 503 passes', async () => {
    answer([503, 503, 200]);
    const { outcome, attempts, stoppedBy } = await run();
    expect(outcome).toMatchObject({ status: 200 });
    expect([attempts.length, clock.sleeps, stoppedBy]).toEqual([3, [1000, 2000], null]);
  });

  it('spreads its waits with full jitter', async () => {
    answer([503]);
    clock.chance = 0.25;
    await run({ backoff: { baseMs: 1000, maxMs: 4000, jitter: 'full' } });
    expect(clock.sleeps).toEqual([250, 500]);
  });

  it.each([300, 301, 400, 401, 403, 404, 409, 418, 422, 429, 501, 505])('asks once when the answer is %d', async (status) => {
    answer([status], { 'retry-after': '1' });
    const { attempts, stoppedBy } = await run();
    expect([droplet.hits(), attempts.length, stoppedBy, clock.sleeps]).toEqual([1, 1, null, []]);
  });

  it('makes one call when one is allowed', async () => {
    answer([503]);
    expect(await run({ maxAttempts: 1 })).toMatchObject({ stoppedBy: 'attempts' });
    expect(droplet.hits()).toBe(1);
  });

  it.each(['POST', 'PATCH'])('does not repeat a %s that may have taken effect when that is forbidden', async (method) => {
    answer([503]);
    expect(await run({ retryUnsafe: false }, {}, method)).toMatchObject({ stoppedBy: null, outcome: { status: 503 } });
    expect(droplet.hits()).toBe(1);
  });

  it('starts no call that the deadline leaves no time for', async () => {
    answer([503]);
    const { attempts, stoppedBy, outcome } = await run({ timeoutMs: 2999 });
    expect([attempts.length, stoppedBy, droplet.hits(), clock.sleeps]).toEqual([2, 'deadline', 2, [1000]]);
    expect(outcome).toMatchObject({ kind: 'answered', status: 503 });
  });

  it('does not even wait when the wait would end with the deadline', async () => {
    answer([503]);
    expect(await run({ timeoutMs: 1000 })).toMatchObject({ stoppedBy: 'deadline' });
    expect([droplet.hits(), clock.sleeps]).toEqual([1, []]);
  });

  it.each([
    ['longer than the backoff', '3', [3000, 3000]],
    ['as long as the second wait', '2', [2000, 2000]],
    ['shorter than the backoff', '1', [1000, 2000]],
    ['a date', new Date(new SkippingClock().now() + 4000).toUTCString(), [4000, 2000]],
    ['not understood', 'soon', [1000, 2000]],
  ])('takes a Retry-After %s (%s) as the least wait', async (_title, header, waits) => {
    answer([503], { 'retry-after': header });
    await run();
    expect(clock.sleeps).toEqual(waits);
  });

  it('gives up at once when Retry-After asks for more than the deadline leaves', async () => {
    answer([503], { 'retry-after': '1000000000' });
    expect(await run()).toMatchObject({ stoppedBy: 'deadline', outcome: { status: 503 } });
    expect([droplet.hits(), clock.sleeps]).toEqual([1, []]);
  });

  it('tells each attempt its number and the time that is left', async () => {
    answer([503]);
    const told: unknown[] = [];
    const call = { ...callTo(() => droplet.url), headers: (info: unknown) => (told.push(info), {}) };
    await policy.execute(call, PLAN, { stop: () => [], abort: new AbortController().signal });
    expect(told).toEqual([
      { attempt: 1, remainingMs: 30_000 },
      { attempt: 2, remainingMs: 29_000 },
      { attempt: 3, remainingMs: 27_000 },
    ]);
  });

  it('asks anew before each attempt where the droplet is', async () => {
    answer([200]);
    const places = [`http://127.0.0.1:${await freePort()}`, droplet.url];
    const { attempts } = await policy.execute(
      callTo(() => places.shift() ?? ''),
      PLAN,
      { stop: () => [], abort: new AbortController().signal },
    );
    expect(attempts.map(({ outcome }) => outcome.kind)).toEqual(['not-sent', 'answered']);
    expect(attempts[1]?.target?.endpoint).toBe(droplet.url);
  });

  it('ends a wait at once when the call is aborted, and calls no more', async () => {
    answer([503]);
    clock.holdsWaits = true;
    const abort = new AbortController();
    const running = run({}, { abort: abort.signal });
    await until(() => clock.sleeps.length === 1);
    abort.abort();
    const { attempts, outcome, stoppedBy } = await running;
    expect([attempts.length, stoppedBy, droplet.hits()]).toEqual([1, null, 1]);
    expect(outcome).toMatchObject({ kind: 'answered', status: 503 });
    expect(clock.waiting.length).toBe(0);
  });

  it.each([0, 1])('ends a wait at once on any stop signal (%d)', async (which) => {
    answer([503]);
    clock.holdsWaits = true;
    const stops = [new AbortController(), new AbortController()];
    const running = run({}, { stop: () => stops.map(({ signal }) => signal) });
    await until(() => clock.sleeps.length === 1);
    stops[which]?.abort();
    expect(await running).toMatchObject({ stoppedBy: null, outcome: { status: 503 } });
    expect([droplet.hits(), clock.waiting.length]).toEqual([1, 0]);
  });

  it('lets the running attempt end after a stop signal, and starts no other', async () => {
    const stop = new AbortController();
    droplet.handler = (_seen, response) => {
      stop.abort();
      reply(response, 503, {});
    };
    const { attempts, outcome } = await run({}, { stop: () => [stop.signal] });
    expect([attempts.length, droplet.hits(), outcome]).toEqual([1, 1, expect.objectContaining({ status: 503 })]);
  });

  it('cuts off a running call when it is aborted: the droplet sees its connection close', async () => {
    let closed = false;
    droplet.handler = (_seen, response) => void response.once('close', () => (closed = true));
    const abort = new AbortController();
    const running = run({}, { abort: abort.signal });
    await until(() => droplet.hits() === 1);
    abort.abort();
    const { outcome, attempts } = await running;
    expect([outcome, attempts.length]).toEqual([{ kind: 'aborted', sent: true, message: expect.any(String) }, 1]);
    expect(await until(() => closed)).toBe(true);
    expect(clock.waiting.length).toBe(0);
  });

  it('sends nothing when the call was aborted before', async () => {
    answer([200]);
    const { outcome } = await run({}, { abort: AbortSignal.abort() });
    expect(outcome).toMatchObject({ kind: 'aborted', sent: false });
    expect(droplet.hits()).toBe(0);
  });

  it('cuts off an attempt when its own time is over, and makes the next', async () => {
    droplet.handler = (_seen, response) => (droplet.hits() === 1 ? undefined : reply(response, 200, {}));
    const running = run({ attemptTimeoutMs: 700 });
    await until(() => droplet.hits() === 1);
    clock.advance(699);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(droplet.hits()).toBe(1);
    clock.advance(1);
    const { attempts } = await running;
    expect(attempts.map(({ outcome, durationMs }) => [outcome.kind, durationMs])).toEqual([
      ['timed-out', 700],
      ['answered', 0],
    ]);
  });

  it('cuts off the last attempt at the deadline, though its own time is not over', async () => {
    droplet.handler = (_seen, response) => (droplet.hits() === 1 ? reply(response, 503) : undefined);
    const running = run({ timeoutMs: 5000 });
    await until(() => droplet.hits() === 2);
    clock.advance(4000);
    const { outcome, attempts, stoppedBy } = await running;
    expect([outcome, attempts.length, stoppedBy]).toEqual([
      { kind: 'timed-out', sent: true, message: 'Timeout after 4000 ms' },
      2,
      'deadline',
    ]);
  });

  it('counts an attempt whose droplet is not known at that moment as not sent, and tries again', async () => {
    answer([200]);
    let asked = 0;
    const target = () => {
      if (++asked === 1) throw new DropletNotFoundError('echo', []);
      return targetUrl(droplet.url, '/x');
    };
    const call = { ...callTo(() => droplet.url, 'POST'), target };
    const plan = { ...PLAN, retryUnsafe: false };
    const { attempts, outcome } = await policy.execute(call, plan, { stop: () => [], abort: new AbortController().signal });
    expect(attempts[0]).toMatchObject({
      target: null,
      durationMs: 0,
      outcome: { kind: 'not-sent', message: "Droplet 'echo' not found" },
    });
    expect([attempts.length, outcome.kind, droplet.hits()]).toEqual([2, 'answered', 1]);
  });

  it('tells what was made wrong by ourselves, instead of retrying it', async () => {
    const target = () => {
      throw new TypeError('ours');
    };
    const call = { ...callTo(() => droplet.url), target };
    await expect(policy.execute(call, PLAN, { stop: () => [], abort: new AbortController().signal })).rejects.toThrow('ours');
    expect(droplet.hits()).toBe(0);
  });

  it.each([
    ['has to wait for memory', true, 'neutral'],
    ['stalls by itself', false, 'failure'],
  ] as const)('an answer that %s until its time is over says of the droplet: %s, %s', async (_title, isFull, expected) => {
    const other = { pause: () => undefined, resume: () => undefined };
    if (isFull) memory.add(other, parseSettings({}).RESPONSE_BUFFER_LIMIT);
    droplet.handler = (_seen, response) => void response.writeHead(200).write('half of it');
    const results: CallResult[] = [];
    const gate: Gate = { ...NO_GATE, enterNow: () => ({ leave: (result) => results.push(result) }) };
    const call = { ...callTo(() => droplet.url), gate };
    const running = policy.execute(call, { ...PLAN, maxAttempts: 1 }, { stop: () => [], abort: new AbortController().signal });
    await until(() => memory.readers.size === (isFull ? 2 : 1));
    clock.advance(PLAN.attemptTimeoutMs);
    expect((await running).outcome).toMatchObject({ kind: 'timed-out', sent: true });
    expect([results, memory.isFull]).toEqual([[expected], isFull]);
    memory.release(other);
  });

  it('leaves no listener behind on signals that outlive the call', async () => {
    answer([503]);
    const [abort, stop] = [new AbortController(), new AbortController()];
    await run({}, { abort: abort.signal, stop: () => [stop.signal] });
    expect([abort, stop].map(({ signal }) => getEventListeners(signal, 'abort'))).toEqual([[], []]);
  });
});

describe('the transport', () => {
  it('refuses what did not come through the policy', async () => {
    const transport = new UndiciTransport();
    const http = axios.create({ adapter: transport.adapter });
    await expect(http.get('http://127.0.0.1/'))
      .rejects.toThrow('must go through the RetryPolicy')
      .finally(() => transport.close());
  });
});
