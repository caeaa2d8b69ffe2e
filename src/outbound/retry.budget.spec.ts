import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../test/support/manual.clock.js';
import { RetryBudget } from './retry.budget.js';

function budgetOf(percent = 20, minPerSecond = 10): { clock: ManualClock; budget: RetryBudget; take: (count: number) => number } {
  const clock = new ManualClock();
  const budget = new RetryBudget({ percent, minPerSecond }, () => clock.monotonic());
  const take = (count: number): number => Array.from({ length: count }, () => budget.take()).filter(Boolean).length;
  return { clock, budget, take };
}

const first = (budget: RetryBudget, count: number): void => {
  for (let made = 0; made < count; made++) budget.first();
};

describe('the retry budget of a droplet', () => {
  it('is ten a second over ten seconds when there are no first attempts', () => {
    expect(budgetOf().take(1000)).toBe(100);
  });

  it('is that and a fifth of the first attempts', () => {
    const { budget, take } = budgetOf();
    first(budget, 1000);
    expect(take(1000)).toBe(300);
  });

  it('is spent when a retry is asked for, not when it is made: a wave that comes at once does not pass', () => {
    const { budget, take } = budgetOf(20, 1);
    first(budget, 100);
    expect([take(20), take(20), take(20)]).toEqual([20, 10, 0]);
  });

  it('counts the last ten seconds: what was spent comes back, and first attempts of long ago give nothing', () => {
    const { clock, budget, take } = budgetOf(20, 1);
    first(budget, 100);
    expect(take(100)).toBe(30);
    clock.advance(9000);
    expect(take(1)).toBe(0);
    clock.advance(1500);
    expect(take(100)).toBe(10);
  });

  it('at 300 failing tasks a second for a minute allows at most 1.3 calls for each', () => {
    const { clock, budget, take } = budgetOf();
    let retries = 0;
    for (let second = 0; second < 60; second++) {
      for (let tenth = 0; tenth < 10; tenth++) {
        first(budget, 30);
        retries += take(60);
        clock.advance(100);
      }
      const tasks = (second + 1) * 300;
      if (second >= 5) expect((tasks + retries) / tasks).toBeLessThanOrEqual(1.3);
    }
    expect(retries).toBeGreaterThan(60 * 300 * 0.2);
  });
});
