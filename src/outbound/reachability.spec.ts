import { describe, expect, it } from '@jest/globals';
import { isAnswer, isSuccess, type Outcome } from './outcome.js';
import { Reachability } from './reachability.js';

describe('reachability', () => {
  it('takes a droplet that was never called for reachable', () => {
    expect(new Reachability().isReachable('new')).toBe(true);
  });

  it('goes by the last call, and by each droplet alone', () => {
    const reachability = new Reachability();
    reachability.record('a', false);
    expect([reachability.isReachable('a'), reachability.isReachable('b')]).toEqual([false, true]);
    reachability.record('a', false);
    reachability.record('a', true);
    expect(reachability.isReachable('a')).toBe(true);
    reachability.record('a', false);
    expect(reachability.isReachable('a')).toBe(false);
  });
});

describe('an outcome', () => {
  const message = '';
  const answered = (status: number): Outcome => ({ kind: 'answered', status, headers: {}, body: Buffer.alloc(0) });

  it('is an answer whatever the droplet said, even when it said too much', () => {
    for (const status of [200, 302, 404, 500]) expect(isAnswer(answered(status))).toBe(true);
    expect(isAnswer({ kind: 'too-large', status: 200, message })).toBe(true);
    expect(isAnswer({ kind: 'timed-out', sent: true, isHeld: true, message })).toBe(true);
  });

  it.each<Outcome>([
    { kind: 'not-sent', message },
    { kind: 'no-answer', message },
    { kind: 'address-refused', message },
    { kind: 'timed-out', sent: true, message },
    { kind: 'aborted', sent: true, message },
  ])('$kind is no answer and no success', (outcome) => {
    expect([isAnswer(outcome), isSuccess(outcome)]).toEqual([false, false]);
  });

  it('is a success for 2xx only', () => {
    expect([199, 200, 299, 300].map((status) => isSuccess(answered(status)))).toEqual([false, true, true, false]);
  });
});
