import { describe, expect, it } from '@jest/globals';
import { isFailedAttempt } from '../outbound/failure-class.js';
import type { Outcome } from '../outbound/outcome.js';
import type { Execution, StoppedBy } from '../outbound/execution.js';
import { afterAttempt, cancelledResult, deadlineResult, interruptedResult, resultOf } from './task.result.js';

const answered = (status: number, body = '{"a":1}'): Outcome => ({
  kind: 'answered',
  status,
  headers: {},
  body: Buffer.from(body),
});
const MESSAGE = 'as the call told';
const refused: Outcome = { kind: 'not-sent', message: MESSAGE };
const reset: Outcome = { kind: 'no-answer', message: MESSAGE };
const late: Outcome = { kind: 'timed-out', sent: true, message: MESSAGE };
const lateUnsent: Outcome = { kind: 'timed-out', sent: false, message: MESSAGE };
const tooLarge: Outcome = { kind: 'too-large', status: 200, message: MESSAGE };
const guarded: Outcome = { kind: 'address-refused', message: MESSAGE };
const cutOff: Outcome = { kind: 'aborted', sent: true, message: MESSAGE };
const cutOffUnsent: Outcome = { kind: 'aborted', sent: false, message: MESSAGE };

/** A task that no attempt was made for. */
const NOTHING_DONE = { targetUrl: 'http://d.test/before', retryCount: 0, attempts: 0, history: [] };

const target = { origin: 'http://d.test', path: '/p', endpoint: 'http://d.test', url: 'http://d.test/p' };

function execution(
  outcomes: readonly Outcome[],
  stoppedBy: StoppedBy | null = null,
  retryStatuses: readonly number[] = [],
): Execution {
  const attempts = outcomes.map((outcome, index) => ({
    ...{ attempt: index + 1, startedAt: 1_767_225_600_250, durationMs: 12.6, delayMs: index * 20.4, target, outcome },
    isFailed: isFailedAttempt(outcome, retryStatuses),
  }));
  return { outcome: outcomes.at(-1)!, attempts, stoppedBy };
}

const result = (outcomes: readonly Outcome[], stoppedBy: StoppedBy | null = null, dropletStatus = 'active') =>
  resultOf(NOTHING_DONE, execution(outcomes, stoppedBy), dropletStatus);

describe('the number of failed attempts', () => {
  it('holds a 429 that the policy of the droplet has retried, and no other', () => {
    const retried = execution([answered(429), answered(429), answered(200)], null, [429]);
    expect(resultOf(NOTHING_DONE, retried, 'active')).toMatchObject({ retryCount: 2, attempts: 3, status: 'success' });
    expect(result([answered(429)])).toMatchObject({ retryCount: 0, attempts: 1 });
  });
});

describe('resultOf: the outcome table of contract §2', () => {
  it.each<[string, Outcome[], string, number | null, string | null, string | null, number]>([
    ['200', [answered(200)], 'success', 200, null, null, 0],
    ['201 with an empty body', [answered(201, '')], 'success', 201, null, null, 0],
    ['299', [answered(299)], 'success', 299, null, null, 0],
    ['301, never followed', [answered(301)], 'error', 301, 'DROPLET_ERROR', 'none', 0],
    ['304', [answered(304, '')], 'error', 304, 'DROPLET_ERROR', 'none', 0],
    ['400', [answered(400)], 'error', 400, 'DROPLET_ERROR', 'none', 0],
    ['404', [answered(404)], 'error', 404, 'DROPLET_ERROR', 'none', 0],
    ['429', [answered(429)], 'error', 429, 'DROPLET_ERROR', 'none', 0],
    ['499', [answered(499)], 'error', 499, 'DROPLET_ERROR', 'none', 0],
    ['5xx on every attempt', [answered(503), answered(502), answered(500)], 'error', 500, 'DROPLET_ERROR', 'unknown', 3],
    ['501', [answered(501)], 'error', 501, 'DROPLET_ERROR', 'none', 1],
    ['refused on every attempt', [refused, refused, refused], 'error', null, 'DROPLET_UNREACHABLE', 'none', 3],
    ['reset on every attempt', [reset, reset], 'error', null, 'DROPLET_UNREACHABLE', 'unknown', 2],
    ['timeouts', [late, late], 'timeout', null, 'TIMEOUT', 'unknown', 2],
    ['a timeout before anything was sent', [lateUnsent], 'timeout', null, 'TIMEOUT', 'none', 1],
    ['an answer over the limit', [tooLarge], 'error', 200, 'RESPONSE_TOO_LARGE', 'unknown', 1],
    ['a refused address', [guarded], 'error', null, 'DROPLET_UNREACHABLE', 'none', 1],
    ['cut off by our own shutdown', [cutOff], 'error', null, 'INTERRUPTED', 'unknown', 1],
    ['cut off before it was sent', [cutOffUnsent], 'error', null, 'INTERRUPTED', 'none', 1],
    ['success at the third attempt', [answered(503), answered(503), answered(200)], 'success', 200, null, null, 2],
    ['4xx after 5xx: the last decides', [answered(503), answered(404)], 'error', 404, 'DROPLET_ERROR', 'unknown', 1],
    ['5xx after a reset', [reset, answered(500)], 'error', 500, 'DROPLET_ERROR', 'unknown', 2],
    ['a timeout after 5xx', [answered(500), late], 'timeout', null, 'TIMEOUT', 'unknown', 2],
    ['refused after a reset: it may have taken effect', [reset, refused], 'error', null, 'DROPLET_UNREACHABLE', 'unknown', 2],
  ])('%s', (_title, outcomes, status, responseStatus, code, effect, retryCount) => {
    const { error, ...rest } = result(outcomes);
    expect(rest).toMatchObject({ status, responseStatus, retryCount, attempts: outcomes.length });
    expect([error?.code ?? null, error?.details.effect ?? null]).toEqual([code, effect]);
  });

  it.each<[string, Outcome, string]>([
    ['JSON', answered(200, '[1.0]'), '[1.0]'],
    ['text', answered(200, 'words'), '"words"'],
    ['nothing', answered(200, ''), 'null'],
    ['204 that came with a body', answered(204, 'words'), 'null'],
    ['the body of a 5xx', answered(500, '{"why":"x"}'), '{"why":"x"}'],
    ['the body of a 404', answered(404, '"gone"'), '"gone"'],
    ['an answer over the limit', tooLarge, 'null'],
    ['no answer', reset, 'null'],
    ['a timeout', late, 'null'],
  ])('keeps the body: %s', (_title, outcome, text) => {
    expect(result([outcome]).responseBody).toBe(text);
  });

  it.each<StoppedBy | null>(['attempts', 'deadline', null])('tells what stopped further attempts: %s', (stoppedBy) => {
    expect(result([answered(503)], stoppedBy).error?.details).toEqual({ effect: 'unknown', stopped_by: stoppedBy });
  });

  it('gives the reason of a refused address', () => {
    expect(result([guarded]).error?.details).toEqual({ effect: 'none', stopped_by: null, reason: 'address_refused' });
  });

  it.each(['inactive', 'error'])('tells that the Registry called the droplet %s when the call failed', (dropletStatus) => {
    expect(result([refused], 'attempts', dropletStatus).error?.details.droplet_status).toBe(dropletStatus);
    expect(result([answered(200)], null, dropletStatus).error).toBeNull();
  });

  it('says nothing of an active droplet', () => {
    expect(result([refused]).error?.details).not.toHaveProperty('droplet_status');
  });

  it.each<[Outcome, RegExp]>([
    [answered(418), /418/],
    [reset, /as the call told/],
    [late, /as the call told/],
    [tooLarge, /as the call told/],
    [guarded, /as the call told/],
  ])('has a message for people (%#)', (outcome, expected) => {
    expect(result([outcome]).error?.message).toMatch(expected);
  });

  it('writes the history of every attempt', () => {
    const { history } = result([answered(503), late, answered(200)]);
    const common = { started_at: 1_767_225_600.25, duration_ms: 13, endpoint: 'http://d.test' };
    expect(history).toEqual([
      { ...common, attempt: 1, response_status: 503, error_code: 'DROPLET_ERROR', delay_ms: 0, effect: 'unknown' },
      { ...common, attempt: 2, response_status: null, error_code: 'TIMEOUT', delay_ms: 20, effect: 'unknown' },
      { ...common, attempt: 3, response_status: 200, error_code: null, delay_ms: 41, effect: 'none' },
    ]);
  });
});

describe('the result of a task that ran in several attempts', () => {
  const made = (outcome: Outcome) => execution([outcome]).attempts[0]!;
  /** A task after one attempt that was answered 503. */
  const tried = afterAttempt(
    NOTHING_DONE,
    { made: made(answered(503)), verdict: { again: true, delayMs: 10, isCharged: true } },
    'active',
  );
  const CANCELLED = { status: 'cancelled', responseStatus: null, responseBody: 'null' };

  it('goes on where the attempts before left off', () => {
    const { history, ...after } = afterAttempt(
      tried,
      { made: made(answered(200)), verdict: { again: false, stoppedBy: null } },
      '',
    );
    expect(after).toMatchObject({ status: 'success', attempts: 2, retryCount: 1, error: null, targetUrl: 'http://d.test/p' });
    expect(history.map(({ response_status }) => response_status)).toEqual([503, 200]);
  });

  it('keeps in mind that an earlier attempt may have taken effect', () => {
    const last = afterAttempt(tried, { made: made(refused), verdict: { again: false, stoppedBy: 'attempts' } }, 'active');
    expect(last).toMatchObject({
      status: 'error',
      retryCount: 2,
      error: { details: { effect: 'unknown', stopped_by: 'attempts' } },
    });
  });

  it('keeps its address when the droplet was not known at the last attempt', () => {
    const unknown = { ...made(refused), target: null };
    const last = afterAttempt(tried, { made: unknown, verdict: { again: false, stoppedBy: null } }, 'unknown');
    expect(last).toMatchObject({ targetUrl: 'http://d.test/p', error: { details: { droplet_status: 'unknown' } } });
    expect(last.history[1]).toMatchObject({ endpoint: null, error_code: 'DROPLET_UNREACHABLE' });
  });

  it.each([
    ['that never left', NOTHING_DONE, undefined, 0, 'none', []],
    ['between two attempts', tried, undefined, 1, 'unknown', ['DROPLET_ERROR']],
    ['under way', tried, made(cutOff), 2, 'unknown', ['DROPLET_ERROR', 'CANCELLED']],
    ['under way, before it was sent', NOTHING_DONE, made(cutOffUnsent), 1, 'none', ['CANCELLED']],
  ])('is cancelled for a task %s', (_title, before, cut, attempts, effect, codes) => {
    const { history, ...result } = cancelledResult(before, cut);
    expect(result).toMatchObject({ ...CANCELLED, attempts, error: { code: 'CANCELLED', details: { effect, stopped_by: null } } });
    expect(history.map(({ error_code }) => error_code)).toEqual(codes);
  });

  it('is a timeout when the deadline leaves no time for a first attempt', () => {
    const never = { ...NOTHING_DONE, responseStatus: null, responseBody: 'null', error: null };
    expect(deadlineResult(never)).toMatchObject({
      ...{ status: 'timeout', attempts: 0, retryCount: 0, responseStatus: null },
      error: { code: 'TIMEOUT', details: { effect: 'none', stopped_by: 'deadline' } },
    });
  });

  it.each([
    ['an answer', tried, 'error', 503, 'DROPLET_ERROR'],
    ['a timeout', result([late]), 'timeout', null, 'TIMEOUT'],
  ])('is what its last attempt came to when the deadline leaves no time for another: %s', (_title, last, status, code, error) => {
    const { targetUrl, retryCount, attempts, history, responseBody } = last;
    expect(deadlineResult(last)).toMatchObject({
      ...{ targetUrl, retryCount, attempts, history, responseBody, status, responseStatus: code },
      error: { code: error, details: { effect: 'unknown', stopped_by: 'deadline' } },
    });
  });

  it('is INTERRUPTED when the process died over it, and nobody knows what the droplet did', () => {
    expect(interruptedResult(NOTHING_DONE, 3)).toMatchObject({
      ...{ status: 'error', attempts: 0, retryCount: 0 },
      error: { code: 'INTERRUPTED', message: expect.stringContaining('3 times'), details: { effect: 'unknown' } },
    });
  });
});
