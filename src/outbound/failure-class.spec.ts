import { describe, expect, it } from '@jest/globals';
import { classify, effectOf, isRetryable, RULES } from './failure-class.js';
import type { Outcome } from './outcome.js';

const answered = (status: number): Outcome => ({ kind: 'answered', status, headers: {}, body: Buffer.alloc(0) });
const message = 'as the test has it';

interface Row {
  readonly title: string;
  readonly outcome: Outcome;
  readonly is: string;
  /** Repeated: a GET; a POST; a POST that must not be done twice. */
  readonly again: readonly [boolean, boolean, boolean];
  readonly effect: 'none' | 'unknown';
}

const TABLE: Row[] = [
  ...[200, 201, 204, 299].map((code) => row(String(code), answered(code), 'success', [false, false, false], 'none')),
  ...[300, 301, 302, 304, 400, 401, 404, 408, 409, 418, 422, 425, 429, 499].map((code) =>
    row(String(code), answered(code), 'rejected', [false, false, false], 'none'),
  ),
  ...[500, 502, 503, 504, 506, 507, 511, 599].map((code) =>
    row(String(code), answered(code), 'server-error', [true, true, false], 'unknown'),
  ),
  ...[501, 505].map((code) => row(String(code), answered(code), 'permanent-server-error', [false, false, false], 'none')),
  row('too large', { kind: 'too-large', status: 200, message }, 'too-large', [false, false, false], 'unknown'),
  row('refused address', { kind: 'address-refused', message }, 'address-refused', [false, false, false], 'none'),
  row('no connection', { kind: 'not-sent', message }, 'not-sent', [true, true, true], 'none'),
  row('no answer', { kind: 'no-answer', message }, 'no-answer', [true, true, false], 'unknown'),
  row('timeout, sent', { kind: 'timed-out', sent: true, message }, 'no-answer', [true, true, false], 'unknown'),
  row('timeout, unsent', { kind: 'timed-out', sent: false, message }, 'not-sent', [true, true, true], 'none'),
  row('aborted, sent', { kind: 'aborted', sent: true, message }, 'aborted', [false, false, false], 'unknown'),
  row('aborted, unsent', { kind: 'aborted', sent: false, message }, 'aborted-unsent', [false, false, false], 'none'),
];

function row(title: string, outcome: Outcome, is: string, again: Row['again'], effect: Row['effect']): Row {
  return { title, outcome, is, again, effect };
}

describe('what a failure means', () => {
  it.each(TABLE)('$title is $is', ({ outcome, is }) => {
    expect(classify(outcome)).toBe(is);
  });

  it.each(TABLE)('$title: repeated for a GET, a POST, a POST that must not be done twice: $again', ({ outcome, again }) => {
    expect([
      isRetryable(outcome, 'GET', { retryUnsafe: true, retryStatuses: [] }),
      isRetryable(outcome, 'POST', { retryUnsafe: true, retryStatuses: [] }),
      isRetryable(outcome, 'POST', { retryUnsafe: false, retryStatuses: [] }),
    ]).toEqual(again);
  });

  it.each(['GET', 'HEAD', 'PUT', 'DELETE'])('%s is repeated even if the caller forbids unsafe repeats', (method) => {
    expect(isRetryable(answered(503), method, { retryUnsafe: false, retryStatuses: [] })).toBe(true);
  });

  it.each(['POST', 'PATCH'])('%s is repeated unless the caller forbids it', (method) => {
    expect([true, false].map((unsafe) => isRetryable(answered(503), method, { retryUnsafe: unsafe, retryStatuses: [] }))).toEqual(
      [true, false],
    );
  });

  it.each(TABLE)('$title leaves the effect $effect', ({ outcome, effect }) => {
    expect(effectOf([outcome])).toBe(effect);
  });

  it('stays unknown when an earlier attempt may have taken effect', () => {
    expect(effectOf([answered(503), { kind: 'not-sent', message }])).toBe('unknown');
    expect(effectOf([{ kind: 'not-sent', message }, answered(404)])).toBe('none');
    expect(effectOf([])).toBe('none');
  });

  it('has a reason for every rule', () => {
    for (const { reason } of Object.values(RULES)) expect(reason).toMatch(/^.{10,}$/);
  });
});
