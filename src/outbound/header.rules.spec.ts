import { describe, expect, it } from '@jest/globals';
import { headersFault, stringMapFault } from './header.rules.js';

describe('stringMapFault', () => {
  it.each([{}, { a: 'b' }, { '': '', ключ: '🙂' }])('takes an object of strings: %j', (value) => {
    expect(stringMapFault(value)).toBeNull();
  });

  it.each([null, undefined, 1, 'a', true, [], ['a'], { a: 1 }, { a: null }, { a: { b: 'c' } }, { a: ['b'] }])(
    'refuses %j',
    (value) => {
      expect(stringMapFault(value)).toBe('must be an object of strings');
    },
  );
});

describe('headersFault', () => {
  const many = (count: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, 'v']));

  it.each([
    {},
    { Accept: 'text/csv', 'X-Custom_1.~!#$%&': 'tab\there, ~ and space' },
    { authorization: 'Bearer abc' },
    { 'x-empty': '' },
    { 'x-task': 'not our prefix', 'x-forwarded': 'neither' },
    many(32),
    { 'x-a': 'v'.repeat(8192 - 3) },
  ])('takes what may be passed on (%#)', (headers) => {
    expect(headersFault(headers)).toBeNull();
  });

  it.each([
    ...['Host', 'Content-Length', 'Transfer-Encoding', 'Connection', 'Keep-Alive', 'Upgrade', 'TE', 'Trailer', 'Cookie'],
    ...['Proxy-Authorization', 'PROXY-x', 'X-Forwarded-For', 'x-forwarded-proto', 'X-Task-Id', 'x-task-anything'],
    ...['Idempotency-Key', 'Expect', 'Accept-Encoding', 'X-Request-ID', 'traceparent', 'TraceState'],
  ])('refuses %s, and names it', (name) => {
    expect(headersFault({ 'x-good': 'a', [name]: 'b' })).toBe(`may not set ${name.toLowerCase()}`);
  });

  it.each(['', 'a b', 'a:b', 'a\r\nb', 'é', 'a\u0000', '(x)', 'a/b', 'a@b'])('refuses the name %j, which is no token', (name) => {
    expect(headersFault({ [name]: 'b' })).toMatch(/tokens as names/);
  });

  it.each(['a\r\nb: c', 'a\nb', 'a\rb', '\u0000', '\u007f', 'é', '\u001f', '🙂'])('refuses the value %j', (value) => {
    expect(headersFault({ 'x-a': value })).toMatch(/printable ASCII as values/);
  });

  it('refuses the 33rd header', () => {
    expect(headersFault(many(33))).toMatch(/at most 32/);
  });

  it('refuses the byte above 8 KiB, names and values together', () => {
    expect(headersFault({ 'x-a': 'v'.repeat(8192 - 2) })).toMatch(/at most 8192 bytes/);
  });

  it('refuses a header that is named twice in different cases', () => {
    expect(headersFault({ 'X-A': '1', 'x-a': '2' })).toMatch(/only once/);
  });

  it('refuses what is no object of strings', () => {
    expect(headersFault({ a: 1 })).toBe('must be an object of strings');
  });
});
