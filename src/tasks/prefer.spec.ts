import { describe, expect, it } from '@jest/globals';
import { readPrefer } from './prefer.js';

describe('the Prefer header', () => {
  it.each<[string | undefined, boolean, number, string | null]>([
    [undefined, false, 0, null],
    ['', false, 0, null],
    ['respond-async', true, 0, 'respond-async'],
    ['Respond-Async', true, 0, 'respond-async'],
    [' respond-async ', true, 0, 'respond-async'],
    ['return=minimal, respond-async', true, 0, 'respond-async'],
    ['wait=10', true, 10_000, 'wait=10'],
    ['wait="10"', true, 10_000, 'wait=10'],
    ['wait = 10', true, 10_000, 'wait=10'],
    ['WAIT=1', true, 1000, 'wait=1'],
    ['wait=0', true, 0, 'wait=0'],
    ['wait=60', true, 60_000, 'wait=60'],
    ['wait=61', true, 60_000, 'wait=60'],
    ['wait=999999999', true, 60_000, 'wait=60'],
    ['respond-async, wait=5', true, 5000, 'respond-async, wait=5'],
    ['wait=5,respond-async', true, 5000, 'respond-async, wait=5'],
    ['wait=1, wait=2', true, 1000, 'wait=1'],
    ['wait=x, wait=2', true, 2000, 'wait=2'],
  ])('%j', (header, isAsynchronous, waitMs, applied) => {
    expect(readPrefer(header)).toEqual({ isAsynchronous, waitMs, applied });
  });

  it.each([
    'wait',
    'wait=',
    'wait=-1',
    'wait=1.5',
    'wait=1s',
    'await=1',
    'respond-asynchronously',
    'return=minimal',
    ',,,',
    'wait=1e3',
  ])('ignores what it does not know or understand: %j', (header) => {
    expect(readPrefer(header)).toEqual({ isAsynchronous: false, waitMs: 0, applied: null });
  });
});
