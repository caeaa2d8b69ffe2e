import { expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const heap = pathToFileURL(`${import.meta.dirname}/heap.ts`).href;

/** Says, in MiB, what the young generation takes after work, after a rest, and after work again. */
const script = `
  import { setTimeout as rest } from 'node:timers/promises';
  import { getHeapSpaceStatistics } from 'node:v8';
  import { boundYoungGeneration, giveBackMemory } from '${heap}';

  const young = () => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size / 2 ** 20;
  async function work() {
    let kept = [];
    for (let turn = 0; turn < 400; turn++) {
      for (let n = 0; n < 20_000; n++) kept[n % 5_000] = { n, text: [n] };
      if (turn % 20 === 0) kept = [];
      await rest(0);
    }
    return young();
  }
  boundYoungGeneration();
  const worked = await work();
  giveBackMemory();
  const rested = young();
  console.log(JSON.stringify({ worked, rested, again: await work() }));
`;

it('the young generation grows under load, to 64 MiB at most, and again after a rest that took it away', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);

  const { worked, rested, again } = JSON.parse(stdout) as Record<string, number>;
  expect(rested).toBeLessThan(8);
  for (const size of [worked, again]) {
    expect(size).toBeGreaterThan(32);
    expect(size).toBeLessThanOrEqual(64);
  }
});
