import { afterEach, expect, it } from '@jest/globals';
import { session } from './session.js';

const before = Object.getOwnPropertyDescriptor(globalThis, 'sessionStorage');
afterEach(() => {
  if (before) Object.defineProperty(globalThis, 'sessionStorage', before);
  else Reflect.deleteProperty(globalThis, 'sessionStorage');
});

it('a browser that stores nothing keeps the key until it is to be forgotten', () => {
  Object.defineProperty(globalThis, 'sessionStorage', {
    configurable: true,
    get: () => {
      throw new Error('denied');
    },
  });
  session.keep('a-key');
  expect(session.key).toBe('a-key');
  session.forget();
  expect(session.key).toBe('');
});
