import { expect, it } from '@jest/globals';
import { Turns } from './turns.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Counts who is told, and in which order. */
function waiters() {
  const told: number[] = [];
  let count = 0;
  const more = (length: number) =>
    Array.from({ length }, () => {
      const place = count++;
      return () => void told.push(place);
    });
  return { told, more };
}

it.each([
  [0, [0, 0]],
  [32, [32, 32]],
  [33, [32, 33]],
  [70, [32, 64, 70, 70]],
])('tells %i in their order, so many a turn: %j', async (count, expected) => {
  const { told, more } = waiters();
  new Turns().tell(more(count));
  for (const [index, sum] of expected.entries()) {
    if (index > 0) await turn();
    expect(told).toHaveLength(sum);
  }
  expect(told).toEqual([...told.keys()]);
});

it('tells those of a second commit after those of the first, and no more of them in a turn', async () => {
  const { told, more } = waiters();
  const turns = new Turns();
  turns.tell(more(40));
  turns.tell(more(40));
  const sums = [told.length];
  for (let taken = 0; taken < 3; taken++) {
    await turn();
    sums.push(told.length);
  }
  expect(sums).toEqual([32, 64, 80, 80]);
  expect(told).toEqual([...told.keys()]);
});

it('tells all who still wait when it finishes, and nobody twice', async () => {
  const { told, more } = waiters();
  const turns = new Turns();
  turns.tell(more(70));
  turns.finish();
  expect(told).toHaveLength(70);
  await turn();
  expect(told).toHaveLength(70);
});

it('calls back at once when nobody waits, or else when all who wait have been told and have gone on', async () => {
  const { told, more } = waiters();
  const turns = new Turns();
  let calls = 0;
  turns.after(() => calls++);
  expect(calls).toBe(1);
  turns.tell(more(40));
  let toldBefore = 0;
  turns.after(() => (toldBefore = told.length));
  turns.tell(more(40));
  await turn();
  expect(toldBefore).toBe(0);
  await turn();
  expect(toldBefore).toBeGreaterThanOrEqual(40);
});
