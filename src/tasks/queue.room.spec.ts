import { expect, it } from '@jest/globals';
import { OverloadedError } from '../common/errors.js';
import type { Settings } from '../config/settings.js';
import { QueueRoom } from './queue.room.js';
import type { TaskQueue } from './task.queue.js';

const roomBeside = (size: number): QueueRoom => new QueueRoom({ size } as TaskQueue, { QUEUE_LIMIT: 10 } as Settings);

it.each([
  [0, 10, true],
  [0, 11, false],
  [9, 1, true],
  [10, 1, false],
])('beside %i tasks, for %i more: %s', (size, more, isRoom) => {
  const room = roomBeside(size);
  expect(room.hasFor(more)).toBe(isRoom);
  if (isRoom) room.refuseIfFull(more);
  else expect(() => room.refuseIfFull(more)).toThrow(OverloadedError);
});

it('is taken up by what is being written, until that is done or has failed', async () => {
  const room = roomBeside(5);
  let end: () => void = () => undefined;
  const written = room.fill(4, () => new Promise<string>((resolve) => (end = () => resolve('done'))));
  expect([room.hasFor(1), room.hasFor(2)]).toEqual([true, false]);
  end();
  expect(await written).toBe('done');
  expect(room.hasFor(5)).toBe(true);
  await expect(room.fill(5, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(room.hasFor(5)).toBe(true);
});
