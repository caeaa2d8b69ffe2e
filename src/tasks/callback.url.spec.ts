import { describe, expect, it } from '@jest/globals';
import { callbackFault, callbackTarget } from './callback.url.js';

describe('a callback URL', () => {
  it.each([
    ...[
      'https://hook.test',
      'https://hook.test/',
      'HTTPS://HOOK.test:8443/a?b=c&d=%20',
      'https://8.8.8.8/x',
      'https://[2606::1]/',
    ],
    `https://hook.test/${'x'.repeat(2048 - 18)}`,
  ])('may be %s', (url) => {
    expect([callbackFault(url, false), callbackFault(url, true)]).toEqual([null, null]);
  });

  it.each(['http://hook.test/', 'http://127.0.0.1:9000/x'])('may be plain only when private ones are allowed: %s', (url) => {
    expect([callbackFault(url, false), callbackFault(url, true)]).toEqual(['must be an https URL', null]);
  });

  it.each([
    ...[
      '',
      'hook.test',
      '//hook.test',
      '/x',
      'https://',
      'ftp://hook.test/',
      'file:///x',
      'javascript:x',
      'data:,x',
      'ws://hook.test',
    ],
    ...['https://a b/', 'https://hook.test/\n', 'https://hook.test/\u0000', 'https://hook.test/é', 'https://hook.test:99999/'],
    ...['https://user@hook.test/', 'https://user:secret@hook.test/', 'https://:secret@hook.test/', 'https://hook.test/#x'],
    `https://hook.test/${'x'.repeat(2049 - 18)}`,
    ...[1, true, null, undefined, {}, [], ['https://hook.test/']],
  ])('may not be %j', (url) => {
    for (const allowsHttp of [false, true]) {
      const fault = callbackFault(url, allowsHttp);
      expect(fault).toMatch(/^(must be|may not have) /);
      expect(fault).not.toContain('secret');
    }
  });

  it.each([
    ['https://hook.test', 'https://hook.test', '/'],
    ['https://hook.test:8443/a/b?c=d%20e', 'https://hook.test:8443', '/a/b?c=d%20e'],
    ['https://hook.test:443/?', 'https://hook.test', '/'],
  ])('leads to where it says: %s', (url, origin, path) => {
    expect(callbackTarget(url)).toEqual({ origin, path, endpoint: origin, url });
  });
});
