import { describe, expect, it } from '@jest/globals';
import { parsePolicy } from './policy.entry.js';

describe('a policy as it is written', () => {
  it('says what it says, and nothing of the rest', () => {
    const whole = {
      ...{ timeout_ms: 5000, attempt_timeout_ms: 1000, max_attempts: 2, max_in_flight: 8, max_waiting: 0 },
      ...{ rate_per_second: 0.001, retry_statuses: [429, 501], headers: { 'X-Team': 'a b', Authorization: 'Bearer x' } },
      breaker: { window_ms: 1000, min_calls: 1, failure_percent: 100, open_ms: 500 },
    };
    expect(parsePolicy(whole)).toEqual({
      entry: {
        ...{ timeoutMs: 5000, attemptTimeoutMs: 1000, maxAttempts: 2, maxInFlight: 8, maxWaiting: 0, ratePerSecond: 0.001 },
        ...{ retryStatuses: [429, 501], headers: { 'x-team': 'a b', authorization: 'Bearer x' } },
        breaker: { windowMs: 1000, minCalls: 1, failurePercent: 100, openMs: 500 },
      },
    });
    expect(parsePolicy({ max_attempts: 2 })).toEqual({ entry: { maxAttempts: 2 } });
    expect(parsePolicy({})).toEqual({ entry: {} });
  });

  it('may say null for what stays as it is, and anything that we do not know', () => {
    const said = { timeout_ms: null, max_attempts: null, rate_per_second: null, colour: 'red', breaker: { open_ms: null, x: 1 } };
    expect(parsePolicy(said)).toEqual({ entry: { breaker: {} } });
    expect(parsePolicy({ retry_statuses: null, breaker: null, headers: null, max_attempts: 2 })).toEqual({
      entry: { maxAttempts: 2 },
    });
    expect(parsePolicy(JSON.parse('{"__proto__":{"max_attempts":1},"constructor":1}'))).toEqual({ entry: {} });
  });

  it.each<[string, unknown]>([
    ['must be an object', null],
    ['must be an object', []],
    ['must be an object', 'fast'],
    ['timeout_ms must be', { timeout_ms: 99 }],
    ['timeout_ms must be', { timeout_ms: '5000' }],
    ['attempt_timeout_ms must be', { attempt_timeout_ms: 120_001 }],
    ['max_attempts must be', { max_attempts: 0 }],
    ['max_attempts must be', { max_attempts: 51 }],
    ['max_attempts must be', { max_attempts: 1.5 }],
    ['max_in_flight must be', { max_in_flight: 0 }],
    ['max_waiting must be', { max_waiting: -1 }],
    ['rate_per_second must be', { rate_per_second: 0 }],
    ['rate_per_second must be', { rate_per_second: 0.0009 }],
    ['rate_per_second must be', { rate_per_second: '1' }],
    ['retry_statuses must be', { retry_statuses: 429 }],
    ['retry_statuses must be', { retry_statuses: [200] }],
    ['retry_statuses must be', { retry_statuses: ['429'] }],
    ['breaker must be', { breaker: 'off' }],
    ['failure_percent must be', { breaker: { failure_percent: 101 } }],
    ['open_ms must be', { breaker: { open_ms: 0 } }],
    ['headers must be', { headers: { a: 1 } }],
    ['headers may not set x-task-id', { headers: { 'X-Task-Id': 'x' } }],
    ['headers may not set host', { headers: { Host: 'x' } }],
    ['headers must have', { headers: { a: 'line\nfeed' } }],
  ])('is refused, whole, because it %s: %j', (fault, said) => {
    const whole = typeof said === 'object' && said !== null && !Array.isArray(said) ? { max_attempts: 2, ...said } : said;
    expect(parsePolicy(whole)).toEqual({ fault: expect.stringContaining(fault) });
  });

  it('is refused in words that show none of its values', () => {
    for (const said of [{ max_attempts: 's3cr3t' }, { headers: { a: 's3cr3t\n' } }, { retry_statuses: ['s3cr3t'] }]) {
      expect(JSON.stringify(parsePolicy(said))).not.toContain('s3cr3t');
    }
  });
});
