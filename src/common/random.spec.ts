import { describe, expect, it } from '@jest/globals';
import { randomBytes } from './random.js';

describe('randomBytes', () => {
  it('gives other bytes each time, over many fillings of its pool', () => {
    const texts = Array.from({ length: 5000 }, () => randomBytes(16).toString('hex'));
    expect(new Set(texts).size).toBe(5000);
    expect(texts.every((text) => text.length === 32)).toBe(true);
  });

  it('uses every bit', () => {
    const ones = new Array<number>(64).fill(0);
    for (let i = 0; i < 2000; i++) {
      const bits = randomBytes(8).readBigUInt64BE();
      for (let bit = 0; bit < 64; bit++) if ((bits >> BigInt(bit)) & 1n) ones[bit] = (ones[bit] ?? 0) + 1;
    }
    for (const count of ones) expect(Math.abs(count - 1000)).toBeLessThan(200);
  });
});
