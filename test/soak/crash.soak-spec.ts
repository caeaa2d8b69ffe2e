import { describe, expect, it } from '@jest/globals';
import { CrashLoop, lineOf, NOTHING } from '../crash/crash.loop.js';
import { stopsAfterEach } from '../support/outbound.cleanup.js';

const ROUNDS = 300;
const REPORT_EVERY = 50;

describe('kill -9, for as long as it takes', () => {
  const stops = stopsAfterEach();

  it(`loses, doubles and forgets no acknowledged task in ${ROUNDS} rounds`, async () => {
    // Another seed each time, unless SOAK_SEED asks for the one that a failure named.
    const seed = Number(process.env.SOAK_SEED ?? Date.now() % 2 ** 31);
    const loop = stops(await CrashLoop.start(seed));
    for (let round = 1; round <= ROUNDS; round++) {
      await loop.round();
      if (round % REPORT_EVERY === 0) process.stdout.write(`round ${round}\n`);
    }
    const report = await loop.finish();
    process.stdout.write(`seed ${seed}, ${lineOf(report)}`);
    expect(report).toMatchObject({ ...NOTHING, rounds: ROUNDS });
  }, 3_600_000);
});
