import { describe, expect, it } from '@jest/globals';
import { InvalidRequestError } from '../common/errors.js';
import { SubmitTask } from './submit-task.dto.js';
import { MAX_BATCH, readBatch } from './task.batch.js';

const GOOD = { droplet_name: 'echo', path: '/x' };

describe('a batch', () => {
  it('holds good and bad tasks side by side, each in its place', () => {
    const [first, second, third] = readBatch({ tasks: [GOOD, { ...GOOD, method: 'get' }, { ...GOOD, priority: 9 }] });
    expect([first, third]).toMatchObject([GOOD, { ...GOOD, priority: 9 }]);
    expect([first, third].every((task) => task instanceof SubmitTask)).toBe(true);
    expect(second).toMatchObject({ code: 'INVALID_REQUEST', details: { errors: [{ field: 'method' }] } });
  });

  it.each([null, undefined, 1, 'task', true, [], [GOOD]])('names what is no task: %j', (task) => {
    expect(readBatch({ tasks: [task] })).toEqual([expect.any(InvalidRequestError)]);
  });

  it.each([1, MAX_BATCH])('may hold %d', (count) => {
    expect(readBatch({ tasks: Array.from({ length: count }, () => GOOD) })).toHaveLength(count);
  });

  it.each([0, MAX_BATCH + 1])('may not hold %d', (count) => {
    expect(() => readBatch({ tasks: Array.from({ length: count }, () => GOOD) })).toThrow(/^tasks: must hold 1 to 1000 tasks$/);
  });

  it.each([null, undefined, 1, 'x', [], [GOOD], {}, { tasks: null }, { tasks: GOOD }, { tasks: 'x' }, { tasks: { length: 1 } }])(
    'is refused as a whole when it is no list: %j',
    (body) => {
      expect(() => readBatch(body)).toThrow(InvalidRequestError);
      expect(() => readBatch(body)).toThrow(/^tasks: must be a list/);
    },
  );
});
