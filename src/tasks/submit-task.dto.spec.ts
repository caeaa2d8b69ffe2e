import { describe, expect, it } from '@jest/globals';
import { InvalidRequestError, type FieldError } from '../common/errors.js';
import { validBody } from '../inbound/valid.js';
import { SubmitTask } from './submit-task.dto.js';

const GOOD = { droplet_name: 'echo', path: '/health' };

function faults(body: unknown): readonly FieldError[] {
  try {
    validBody(SubmitTask, body);
    return [];
  } catch (error) {
    if (error instanceof InvalidRequestError) return error.details.errors;
    throw error;
  }
}

describe('SubmitTask', () => {
  it('needs a droplet and a path only', () => {
    expect(Object.assign({}, validBody(SubmitTask, GOOD))).toEqual({
      ...{ droplet_name: 'echo', method: 'GET', path: '/health', payload: null, meta: null, headers: null },
      ...{ timeout_ms: null, attempt_timeout_ms: null, max_attempts: null, retry_unsafe: null, priority: null },
      ...{ delay_ms: null, run_at: null, callback_url: null },
    });
  });

  it.each<[string, unknown[]]>([
    ['droplet_name', ['x', 'x'.repeat(255), 'ÉCHO', '__proto__']],
    ['method', ['GET', 'POST', 'PUT', 'DELETE', 'PATCH']],
    ['path', ['/', `/${'x'.repeat(2047)}`, '/a?b=//c&d=../e']],
    ['payload', [null, 0, false, '', 'text', [], {}, [1, { a: null }]]],
    ['meta', [null, {}, { a: 'b' }]],
    ['headers', [null, {}, { 'x-a': 'b' }]],
    ['timeout_ms', [null, 100, 600_000, 604_800_000]],
    ['attempt_timeout_ms', [null, 100, 120_000]],
    ['max_attempts', [null, 1, 50]],
    ['retry_unsafe', [null, true, false]],
    ['priority', [null, 0, 9]],
    ['delay_ms', [null, 0, 1000, 3_155_760_000_000]],
    ['run_at', [null, '2030-01-01T00:00:00Z', '2030-01-01T00:00:00.5+02:00', '2030-01-01', '1999-01-01T00:00:00']],
    ['callback_url', [null, 'https://example.test/hook']],
  ])('takes every good %s', (field, values) => {
    for (const value of values) expect([value, faults({ ...GOOD, [field]: value })]).toEqual([value, []]);
  });

  it.each<[string, unknown[]]>([
    ['droplet_name', [undefined, null, '', 'x'.repeat(256), 1, true, [], {}, ['echo']]],
    ['method', [null, '', 'get', 'HEAD', 'OPTIONS', 'CONNECT', 1, [], {}]],
    [
      'path',
      [undefined, null, '', 'x', '//x', '/\\x', '/../x', '/%2e%2e/x', '/a b', '/#', '/%', `/${'x'.repeat(2048)}`, 1, [], {}],
    ],
    ['meta', ['a', 1, true, [], ['a'], { a: 1 }, { a: null }, { a: {} }]],
    ['headers', ['a', 1, true, [], { host: 'x' }, { a: 1 }, { 'a b': 'c' }]],
    ['timeout_ms', [0, 99, 604_800_001, -1, 1.5, '1000', true, [], {}, 1e308]],
    ['attempt_timeout_ms', [99, 120_001, 100.5, '100', []]],
    ['max_attempts', [0, 51, 1.5, '3', [], true]],
    ['retry_unsafe', ['true', 0, 1, [], {}]],
    ['priority', [-1, 10, 0.5, '5', []]],
    ['delay_ms', [-1, 0.5, '0', true, [], {}, 3_155_760_000_001, 1e308]],
    [
      'run_at',
      ['', 'soon', '1764000000', 1764000000, '2030-13-01T00:00:00Z', '2030-01-01T25:00:00Z', '01/02/2030', true, [], {}],
    ],
    ['callback_url', [1, true, [], {}, ['https://example.test/hook']]],
  ])('names %s when it is wrong, and never its value', (field, values) => {
    for (const value of values) {
      const found = faults({ ...GOOD, [field]: value });
      expect([value, found.length > 0, found.every((fault) => fault.field === field)]).toEqual([value, true, true]);
    }
    expect(JSON.stringify(faults({ ...GOOD, [field]: { secret: 'hunter2' } }))).not.toContain('hunter2');
  });

  it('names every wrong field at once', () => {
    const fields = faults({ droplet_name: 1, path: 2, method: 3, priority: 40 }).map(({ field }) => field);
    expect([...new Set(fields)].sort()).toEqual(['droplet_name', 'method', 'path', 'priority']);
  });

  it('ignores keys that it does not know', () => {
    expect(faults({ ...GOOD, unknown: 1, toString: 'x', hasOwnProperty: 2 })).toEqual([]);
  });

  it.each([null, undefined, 1, 'text', [], [GOOD]])('refuses the body %j', (body) => {
    expect(faults(body)).toEqual([{ field: 'body', message: 'must be a JSON object' }]);
  });
});
