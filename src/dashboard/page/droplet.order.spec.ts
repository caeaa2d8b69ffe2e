import { describe, expect, it } from '@jest/globals';
import type { Droplet } from './api.types.d.ts';
import { arranged, stateCounts } from './droplet.order.js';

const droplet = (name: string, health: Partial<Droplet['health']> = {}): Droplet => ({
  ...{ id: 1, name, endpoint: `http://${name}:9000`, version: null, steward: null, status: 'active', updated_at: null },
  health: { state: 'up', breaker: 'closed', in_flight: 0, success_rate_percent: 100, p95_ms: 5, ...health },
});

const ALL = [
  droplet('idle', { state: 'unknown', p95_ms: null }),
  droplet('fine-10', { in_flight: 4 }),
  droplet('fine-9', { p95_ms: 70 }),
  droplet('slow', { state: 'degraded' }),
  droplet('gone', { state: 'down', breaker: 'open' }),
  droplet('held', { state: 'down', breaker: 'paused' }),
];
const names = (...[text, order]: [string, Parameters<typeof arranged>[2]]): string[] =>
  arranged(ALL, text, order).map(({ name }) => name);

describe('the droplets in their order', () => {
  it.each([
    ['trouble' as const, ['gone', 'held', 'slow', 'fine-9', 'fine-10', 'idle']],
    ['name' as const, ['fine-9', 'fine-10', 'gone', 'held', 'idle', 'slow']],
    ['busy' as const, ['fine-10', 'fine-9', 'gone', 'held', 'idle', 'slow']],
    ['slow' as const, ['fine-9', 'fine-10', 'gone', 'held', 'slow', 'idle']],
  ])('by %s', (order, expected) => {
    expect(names('', order)).toEqual(expected);
  });

  it.each([
    ['FINE', ['fine-9', 'fine-10']],
    ['fine :9000 10', ['fine-10']],
    ['paused', ['held']],
    ['nobody', []],
  ])('those that fit %j', (text, expected) => {
    expect(names(text, 'name')).toEqual(expected);
  });

  it('are counted by how they do; one that is paused is not down', () => {
    expect(stateCounts(ALL)).toEqual({ up: 2, degraded: 1, down: 1, paused: 1, unknown: 1 });
  });
});
