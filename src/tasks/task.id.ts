import { v7 } from 'uuid';
import { randomBytes } from '../common/random.js';

/** What the last id began with. */
let last = { msecs: 0, seq: 0 };

/**
 * Ids are UUIDv7 (RFC 9562): their first 48 bits are the creation time, then comes a count that starts anywhere in each
 * millisecond, so their order is that of creation, also when the clock steps back.
 */
export function newTaskId(): string {
  const random = randomBytes(20);
  const now = Date.now();
  last = now > last.msecs ? { msecs: now, seq: random.readUInt32BE(16) >>> 1 } : { ...last, seq: last.seq + 1 };
  return v7({ random, ...last });
}

/** The creation time that an id holds, epoch milliseconds. */
export const createdAtOf = (id: string): number => parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

/** No id made at or after `ms` (epoch milliseconds) is smaller than this. */
export function firstIdOf(ms: number): string {
  const hex = Math.min(Math.max(0, Math.ceil(ms)), 0xffff_ffff_ffff)
    .toString(16)
    .padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}
