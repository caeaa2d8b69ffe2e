import { describe, expect, it } from '@jest/globals';
import { areaPath, linear, linePath, niceMax } from './scale.js';

describe('the scale of a plot', () => {
  it.each([
    [0, 4],
    [3, 4],
    [4.1, 5],
    [11, 20],
    [21, 25],
    [260, 500],
    [3709, 5000],
    [1000, 1000],
  ])('ends for %d at the round %d', (value, end) => {
    expect(niceMax(value, 4)).toBe(end);
  });

  it('puts values in their places, and everything at the start where there is no width', () => {
    expect([0, 5, 10].map(linear([0, 10], [100, 0]))).toEqual([100, 50, 0]);
    expect(linear([3, 3], [7, 9])(3)).toBe(7);
  });

  it('breaks a line where a value is missing', () => {
    const line = linePath([
      [0, 1],
      [1, 2],
      [2, null],
      [3, 4],
    ]);
    expect(line).toBe('M0 1L1 2M3 4');
  });

  it('closes an area along its lower line, and draws nothing of nothing', () => {
    const area = areaPath([
      [0, 1, 9],
      [5, 2, 8],
    ]);
    expect(area).toBe('M0 1L5 2L5 8L0 9Z');
    expect(areaPath([])).toBe('');
  });
});
