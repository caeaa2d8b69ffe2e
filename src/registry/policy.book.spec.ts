import { beforeEach, describe, expect, it } from '@jest/globals';
import { knownDroplet, ReadableLog, settingsOf } from '../../test/support/registry.parts.js';
import { defaultPolicy } from '../outbound/droplet.policy.js';
import { PolicyBook } from './policy.book.js';

const SETTINGS = settingsOf({ DROPLET_MAX_IN_FLIGHT: '7' });
const BREAKER = { windowMs: 10_000, minCalls: 20, failurePercent: 50, openMs: 30_000 };

describe('how a droplet is called', () => {
  let log: ReadableLog;
  let book: PolicyBook;

  beforeEach(() => {
    log = new ReadableLog();
    book = new PolicyBook(SETTINGS, log.log);
  });

  const policyOf = (name: string, policy?: unknown) =>
    book.policyOf(knownDroplet(name, { metadata: policy === undefined ? null : { version: '1', policy } }));

  it('is what the settings say, unless somebody says more', () => {
    expect(policyOf('echo')).toEqual({ ...defaultPolicy(SETTINGS), maxInFlight: 7, maxWaiting: 256, breaker: BREAKER });
    expect(policyOf('echo', null)).toEqual(policyOf('echo'));
  });

  it('is what its entry says before the settings', () => {
    expect(policyOf('echo', { max_in_flight: 3, breaker: { open_ms: 500 } })).toMatchObject({
      ...{ maxInFlight: 3, maxWaiting: 256, maxAttempts: null },
      breaker: { ...BREAKER, openMs: 500 },
    });
  });

  it('is what the file says before its entry, field by field, without regard to case', () => {
    book.replace(new Map([['echo', { maxInFlight: 2, breaker: { minCalls: 5 } }]]));
    const said = { max_in_flight: 3, max_attempts: 4, breaker: { open_ms: 500, min_calls: 6 } };
    expect(policyOf('ECHO', said)).toMatchObject({
      ...{ maxInFlight: 2, maxAttempts: 4, maxWaiting: 256 },
      breaker: { ...BREAKER, minCalls: 5, openMs: 500 },
    });
    expect(policyOf('other', said).maxInFlight).toBe(3);
  });

  it('is never a header that its entry asks for, but may be one of the file', () => {
    const injecting = policyOf('echo', { headers: { 'x-injected': 'yes' }, max_attempts: 4 });
    expect([injecting.headers, injecting.maxAttempts]).toEqual([{}, 4]);
    book.replace(new Map([['echo', { headers: { 'x-ours': 'yes' } }]]));
    expect(policyOf('echo', { headers: { 'x-injected': 'yes' } }).headers).toEqual({ 'x-ours': 'yes' });
  });

  it('is what it was when its entry asks for what cannot be, and that is said once for each entry, without values', () => {
    const droplet = knownDroplet('echo', { metadata: { policy: { max_attempts: 's3cr3t' } } });
    for (let asked = 0; asked < 3; asked++) expect(book.policyOf(droplet)).toEqual(policyOf('other'));
    expect(log.lines.map(({ msg }) => msg)).toEqual(['policy in metadata ignored']);
    expect(log.lines[0]).toMatchObject({ droplet: 'echo', fault: expect.stringContaining('max_attempts must be') });
    expect(JSON.stringify(log.lines)).not.toContain('s3cr3t');
  });

  it('is no more what the file said before', () => {
    book.replace(new Map([['echo', { maxInFlight: 2 }]]));
    book.replace(new Map());
    expect(policyOf('echo').maxInFlight).toBe(7);
  });
});
