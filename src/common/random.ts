import { randomFillSync } from 'node:crypto';

/** What one call to the system brings: with one for each id, they were 4 % of a task's CPU. */
const POOL = Buffer.alloc(4096);
let used = POOL.length;

/** So many random bytes; to be read at once, for they are overwritten later. */
export function randomBytes(count: number): Buffer {
  if (used + count > POOL.length) {
    randomFillSync(POOL);
    used = 0;
  }
  used += count;
  return POOL.subarray(used - count, used);
}
