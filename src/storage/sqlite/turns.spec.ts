import { expect, it } from '@jest/globals';
import { Turns } from './turns.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

it.each([
  [0, [0, 0]],
  [32, [32, 32]],
  [33, [32, 33]],
  [70, [32, 64, 70, 70]],
])('calls %i of them in their order, so many a turn: %j', async (count, expected) => {
  const called: number[] = [];
  new Turns().tell(Array.from({ length: count }, (_, index) => () => void called.push(index)));
  for (const [index, sum] of expected.entries()) {
    if (index > 0) await turn();
    expect(called).toHaveLength(sum);
  }
  expect(called).toEqual([...called.keys()]);
});
