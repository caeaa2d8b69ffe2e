import { describe, expect, it } from '@jest/globals';
import { v7 } from 'uuid';
import { createdAtOf, firstIdOf, newTaskId } from './task.id.js';

const idAt = (msecs: number, fill: number): string =>
  v7({ msecs, random: new Uint8Array(16).fill(fill), seq: fill === 0 ? 0 : 0xffffffff });

describe('task ids', () => {
  it('are UUIDv7, ordered as they were made, a thousand in one millisecond too', () => {
    const ids = Array.from({ length: 1000 }, newTaskId);
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(1000);
  });

  it('hold the time they were made at', () => {
    const before = Date.now();
    const createdAt = createdAtOf(newTaskId());
    // An id may be a millisecond ahead of the clock when very many are made.
    expect(createdAt).toBeGreaterThanOrEqual(before);
    expect(createdAt).toBeLessThanOrEqual(Date.now() + 1);
  });

  it.each([1, 255, 1_767_225_600_000, 2 ** 40, 2 ** 48 - 2])(
    'lie at or after the first of their time, and before the next (%d)',
    (ms) => {
      expect(createdAtOf(idAt(ms, 0))).toBe(ms);
      for (const id of [idAt(ms, 0), idAt(ms, 0xff)]) {
        expect(id >= firstIdOf(ms)).toBe(true);
        expect(id < firstIdOf(ms + 1)).toBe(true);
      }
    },
  );

  it('take a fraction of a millisecond as the next one', () => {
    expect([firstIdOf(1_767_225_600_000.25), firstIdOf(0.1)]).toEqual([firstIdOf(1_767_225_600_001), firstIdOf(1)]);
  });

  it.each([
    [-1, '00000000-0000'],
    [-Infinity, '00000000-0000'],
    [2 ** 60, 'ffffffff-ffff'],
    [Infinity, 'ffffffff-ffff'],
  ])('have an end on both sides (%d)', (ms, expected) => {
    expect(firstIdOf(ms)).toBe(expected);
  });
});
