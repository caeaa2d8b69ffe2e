import { describe, expect, it } from '@jest/globals';
import { scrolledTo, visibleRange } from './virtual.range.js';

const view = { top: 0, height: 100, rowHeight: 10 };

describe('the rows of a long list', () => {
  it.each([
    [0, 5000, { first: 0, end: 12 }],
    [500, 5000, { first: 48, end: 62 }],
    [49_900, 5000, { first: 4988, end: 5000 }],
    [0, 3, { first: 0, end: 3 }],
    [0, 0, { first: 0, end: 0 }],
    // The list has become shorter than where it was scrolled to.
    [9000, 20, { first: 20, end: 20 }],
  ])('at %d of %d are those in sight and two beyond', (top, count, range) => {
    expect(visibleRange({ ...view, top, count, beyond: 2 })).toEqual(range);
  });

  it.each([
    ['above', 3, 500, 30],
    ['below', 80, 500, 710],
    ['in sight', 55, 500, 500],
  ])('one that is %s is scrolled to no further than needed', (_where, index, top, wanted) => {
    expect(scrolledTo(index, { ...view, top })).toBe(wanted);
  });
});
