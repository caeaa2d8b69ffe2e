import { describe, expect, it } from '@jest/globals';
import { InvalidRequestError } from '../common/errors.js';
import { ValidQuery } from '../inbound/valid.js';
import { ListTasks } from './list-tasks.dto.js';
import { newTaskId } from './task.id.js';

const parse = (query: Record<string, unknown>): ListTasks => new ValidQuery(ListTasks).transform(query);

describe('ListTasks', () => {
  it('asks for the newest hundred of all when nothing is given', () => {
    expect(Object.assign({}, parse({}))).toEqual({
      ...{
        status: undefined,
        droplet_name: undefined,
        limit: 100,
        created_after: undefined,
        created_before: undefined,
        cursor: undefined,
      },
    });
  });

  it.each([
    ['1', 1],
    ['1000', 1000],
    ['007', 7],
  ])('takes the limit %s', (text, limit) => {
    expect(parse({ limit: text }).limit).toBe(limit);
  });

  it.each(['0', '-1', '1001', 'x', '1e9', '', ' 5', '5.0', '0x10', '９', ['1', '2'], '99999999999999999999'])(
    'refuses the limit %j',
    (limit) => {
      expect(() => parse({ limit })).toThrow(InvalidRequestError);
    },
  );

  const AT = Date.UTC(2026, 0, 2, 3, 4, 5);

  it.each([
    [String(AT / 1000), AT],
    [`${AT / 1000}.123`, AT + 123],
    [`${AT / 1000}.1234`, AT + 123.4],
    ['0', 0],
    ['2026-01-02T03:04:05Z', AT],
    ['2026-01-02T03:04:05.250Z', AT + 250],
    ['2026-01-02T05:04:05+02:00', AT],
    ['2026-01-02T03:04:05', AT],
    ['2026-01-02', Date.UTC(2026, 0, 2)],
  ])('reads %s as an instant', (text, ms) => {
    expect(parse({ created_after: text, created_before: text })).toMatchObject({ created_after: ms, created_before: ms });
  });

  it.each(['', 'yesterday', '-1', '1e9', '2026-13-01', '2026-01-02T25:00:00Z', 'NaN', 'Infinity', '01/02/2026', ['1', '2']])(
    'refuses %j as an instant',
    (text) => {
      expect(() => parse({ created_after: text })).toThrow(InvalidRequestError);
      expect(() => parse({ created_before: text })).toThrow(InvalidRequestError);
    },
  );

  it('takes an id as a cursor', () => {
    const cursor = newTaskId();
    expect(parse({ cursor }).cursor).toBe(cursor);
  });

  it.each(['', 'x', '1', newTaskId().toUpperCase(), 'f47ac10b-58cc-4372-a567-0e02b2c3d479', `${newTaskId()} `, "' OR 1=1"])(
    'refuses the cursor %j, which no page gave',
    (cursor) => {
      expect(() => parse({ cursor })).toThrow(/next_cursor/);
    },
  );

  it.each(['status', 'droplet_name', 'cursor'])('refuses %s when it is given twice', (name) => {
    expect(() => parse({ [name]: ['a', 'b'] })).toThrow(InvalidRequestError);
  });
});
