import { expect, it } from '@jest/globals';
import { ServerClock } from './clock.js';

const NOW = 1_700_000_000_400;
const dateOf = (ms: number): string => new Date(ms).toUTCString();

it.each([
  ['the same', 0, NOW],
  ['an hour ahead', 3_600_000, NOW + 3_600_000 + 100],
  ['an hour behind', -3_600_000, NOW - 3_600_000 + 100],
])('a server whose clock is %s is believed', (_name, ms, expected) => {
  const clock = new ServerClock();
  clock.hear(dateOf(NOW + ms), NOW, NOW);
  expect(clock.seconds(NOW) * 1000).toBeCloseTo(expected, 0);
});

it('an answer that names no time changes nothing', () => {
  const clock = new ServerClock();
  for (const date of [null, 'soon']) clock.hear(date, NOW, NOW);
  expect(clock.seconds(NOW) * 1000).toBeCloseTo(NOW, 0);
});
