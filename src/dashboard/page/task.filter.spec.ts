import { describe, expect, it } from '@jest/globals';
import { filterForDroplet, matches, parseFilter, queryOf } from './task.filter.js';
import { pageTask } from '../../../test/support/page.task.js';

describe('a filter of tasks', () => {
  it.each([
    ['', { droplet: '', meta: [], words: [] }],
    ['  Post /charges ', { droplet: '', meta: [], words: ['post', '/charges'] }],
    ['droplet:Echo 503', { droplet: 'echo', meta: [], words: ['503'] }],
    ['droplet:"My droplet"', { droplet: 'my droplet', meta: [], words: [] }],
    [
      'meta.order=4711 meta.note="two words"',
      {
        droplet: '',
        meta: [
          ['order', '4711'],
          ['note', 'two words'],
        ],
        words: [],
      },
    ],
    ['"two words', { droplet: '', meta: [], words: ['two words'] }],
  ])('reads %j', (text, parts) => {
    expect(parseFilter(text, 'error')).toEqual({ status: 'error', ...parts });
  });

  it.each([
    ['echo', true],
    ['GET /pay', true],
    ['GET /pay nobody', false],
    ['droplet:ECHO', true],
    ['droplet:ech', false],
    ['meta.order=7', true],
    ['meta.order=8', false],
    ['meta.toString=x', false],
  ])('%j lets a task through: %s', (text, isWanted) => {
    const task = pageTask('1', { droplet_name: 'Echo', path: '/pay', meta: { order: '7' } });
    expect(matches(task, parseFilter(text))).toBe(isWanted);
  });

  it('asks the server for what it knows; a stream tells of every status', () => {
    const filter = parseFilter('words droplet:"a b" meta.k=v&w', 'error');
    expect(String(queryOf(filter, { withStatus: true }))).toBe('meta.k=v%26w&droplet_name=a+b&status=error');
    expect(queryOf(filter, { withStatus: false }).has('status')).toBe(false);
  });

  it.each(['echo', 'My droplet', 'ünï'])('finds the tasks of %s again', (name) => {
    expect(parseFilter(filterForDroplet(name)).droplet).toBe(name.toLowerCase());
  });
});
