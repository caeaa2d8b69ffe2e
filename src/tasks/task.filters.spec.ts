import { describe, expect, it } from '@jest/globals';
import { ANYBODY } from '../common/access.js';
import { InvalidRequestError } from '../common/errors.js';
import { ListTasks } from './list-tasks.dto.js';
import { toQuery } from './task.filters.js';

const query = (fields: Partial<ListTasks> = {}, all: Record<string, unknown> = {}, identity = ANYBODY) =>
  toQuery(Object.assign(new ListTasks(), fields), all, identity);

describe('the filters of a list', () => {
  it('are none when nothing was asked for', () => {
    expect(query({}, { limit: '5', unknown: 'x' })).toEqual({ meta: {}, limit: 100 });
  });

  it('are never without the caller, unless it is an administrator', () => {
    const ann = { ...ANYBODY, name: 'ann', isAdmin: false };
    expect(query({}, { caller: 'bob', 'meta.caller': 'bob' }, ann)).toEqual({
      caller: 'ann',
      meta: { caller: 'bob' },
      limit: 100,
    });
    expect(query({}, {}, { ...ann, isAdmin: true })).toEqual({ meta: {}, limit: 100 });
  });

  it('are those that were asked for', () => {
    const cursor = '01890000-0000-7000-8000-000000000000';
    const asked = { status: '', droplet_name: 'Echo', created_after: 0, created_before: 5, cursor, limit: 7 };
    expect(query(asked)).toEqual({
      ...{ status: '', dropletName: 'Echo', createdAfter: 0, createdBefore: 5, cursor, limit: 7, meta: {} },
    });
  });

  it('take the names of meta as they are', () => {
    const { meta } = query({}, { 'meta.a': '1', 'meta.a.b': '2', 'meta.': '3', meta: '4', metax: '5', 'META.c': '6' });
    expect(meta).toEqual({ a: '1', 'a.b': '2', '': '3' });
  });

  it.each([[['1', '2']], [{ b: '1' }], [undefined]])('refuse a meta filter that is given twice (%j)', (value) => {
    expect(() => query({}, { 'meta.a': value })).toThrow(InvalidRequestError);
  });

  it('refuse the 33rd of meta', () => {
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`meta.${index}`, 'x']));
    expect(Object.keys(query({}, many(32)).meta)).toHaveLength(32);
    expect(() => query({}, many(33))).toThrow(/at most 32/);
  });
});
