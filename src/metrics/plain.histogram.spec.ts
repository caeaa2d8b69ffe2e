import { describe, expect, it } from '@jest/globals';
import { PlainHistogram } from './plain.histogram.js';

describe('a histogram without labels', () => {
  it('counts each value in its bucket and all above, a bound to its own', () => {
    const histogram = new PlainHistogram('wait_seconds', 'Waits', [0.1, 1]);
    for (const value of [0.05, 0.1, 0.5, 3]) histogram.observe(value);
    expect(histogram.text().split('\n')).toEqual([
      '# HELP wait_seconds Waits',
      '# TYPE wait_seconds histogram',
      'wait_seconds_bucket{le="0.1"} 2',
      'wait_seconds_bucket{le="1"} 3',
      'wait_seconds_bucket{le="+Inf"} 4',
      'wait_seconds_sum 3.65',
      'wait_seconds_count 4',
      '',
    ]);
  });

  it('is all zero before anything has happened', () => {
    expect(new PlainHistogram('wait_seconds', 'Waits', [1]).text()).toContain('wait_seconds_count 0\n');
  });
});
