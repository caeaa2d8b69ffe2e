import { IsInt, IsString, Max } from 'class-validator';
import { describe, expect, it } from '@jest/globals';
import { InvalidRequestError } from '../common/errors.js';
import { validBody, ValidQuery } from './valid.js';

class Example {
  @IsString()
  name = 'unnamed';

  @IsInt()
  @Max(9)
  size = 1;
}

function errorsOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidRequestError);
    return (error as InvalidRequestError).details.errors;
  }
  throw new Error('was accepted');
}

describe('validBody', () => {
  it('takes the fields that the class declares, and leaves the defaults of the others', () => {
    const example = validBody(Example, { name: 'a', secret: 1, constructor: 2, toString: 3 });
    expect(example).toBeInstanceOf(Example);
    expect(Object.entries(example)).toEqual([
      ['name', 'a'],
      ['size', 1],
    ]);
    expect(example.constructor).toBe(Example);
  });

  it('names every wrong field with every reason, and shows no value', () => {
    expect(errorsOf(() => validBody(Example, { name: 1, size: 'hunter2' }))).toEqual([
      { field: 'name', message: 'must be a string' },
      { field: 'size', message: 'must not be greater than 9' },
      { field: 'size', message: 'must be an integer number' },
    ]);
  });

  it.each([undefined, null, [], 'x', 1, true])('%j is no object', (body) => {
    expect(errorsOf(() => validBody(Example, body))).toEqual([{ field: 'body', message: 'must be a JSON object' }]);
  });
});

describe('ValidQuery', () => {
  it('does the same to the texts of a query', () => {
    const query = new ValidQuery(Example);
    expect(Object.entries(query.transform({ name: 'a', other: 'b' }))).toEqual([
      ['name', 'a'],
      ['size', 1],
    ]);
    expect(errorsOf(() => query.transform({ size: '3' }))).toContainEqual({
      field: 'size',
      message: 'must be an integer number',
    });
  });
});
