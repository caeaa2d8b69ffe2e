import { expect, it } from '@jest/globals';
import { Ring } from './ring.js';

it('a ring keeps the last values, oldest first', () => {
  const ring = new Ring<number>(3);
  expect(ring.values).toEqual([]);
  for (const value of [1, 2]) ring.push(value);
  expect(ring.values).toEqual([1, 2]);
  for (const value of [3, 4]) ring.push(value);
  expect(ring.values).toEqual([2, 3, 4]);
});
