import { describe, expect, it } from '@jest/globals';
import { Fuzzer } from './fuzzer.js';

/** Ten minutes, unless FUZZ_SECONDS says otherwise. */
const SECONDS = Number(process.env.FUZZ_SECONDS ?? 600);
const seed = process.env.FUZZ_SEED === undefined ? undefined : Number(process.env.FUZZ_SEED);
/** Of what lives: the last events, the tasks and droplets that are kept. A leak of 100 bytes a request would be more. */
const GROWTH_MIB = 16;

describe('the fuzzers, for long', () => {
  it(
    `${SECONDS} s of hostile requests and bytes: no 500, no end, no growth`,
    async () => {
      const fuzzer = await Fuzzer.start();
      try {
        const report = await fuzzer.run({ seconds: SECONDS, seed });
        process.stdout.write(`${JSON.stringify(report)}\n`);
        expect(report.heap.late - report.heap.early).toBeLessThan(GROWTH_MIB);
      } finally {
        await fuzzer.stop();
      }
    },
    SECONDS * 1000 + 120_000,
  );
});
