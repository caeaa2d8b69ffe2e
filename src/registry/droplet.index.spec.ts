import { describe, expect, it } from '@jest/globals';
import { knownDroplet } from '../../test/support/registry.parts.js';
import { DropletIndex } from './droplet.index.js';

const index = (...entries: [number | string, string][]) =>
  new DropletIndex(entries.map(([id, name]) => knownDroplet(name, { id })));

describe('finding a droplet', () => {
  it('finds nothing in an empty list', () => {
    expect(index().find('echo')).toBeUndefined();
  });

  it('finds it by its exact name', () => {
    expect(index([3, 'echo'], [4, 'auth']).find('auth')?.id).toBe(4);
  });

  it('finds it in any case', () => {
    expect(index([3, 'Echo']).find('ECHO')?.id).toBe(3);
  });

  it('takes the exact name first where names differ only in case, else the first in the list', () => {
    const names = index([3, 'ECHO'], [4, 'Echo'], [5, 'echo']);
    expect(['ECHO', 'Echo', 'echo', 'eCHO'].map((name) => names.find(name)?.id)).toEqual([3, 4, 5, 3]);
  });

  it('takes the id before the name', () => {
    const both = index([3, '4'], [4, 'other']);
    expect([both.findByIdOrName('4')?.name, both.findByIdOrName('Other')?.id]).toEqual(['other', 4]);
  });

  it('finds string ids, and numbers by their text', () => {
    const ids = index(['x-1', 'a'], [7, 'b']);
    expect([ids.findById('x-1')?.name, ids.findById('7')?.name, ids.findById(7)?.name]).toEqual(['a', 'b', 'b']);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('knows no %s that nobody registered', (name) => {
    expect([index([3, 'echo']).find(name), index().findByIdOrName(name)]).toEqual([undefined, undefined]);
  });

  it.each(['__proto__', 'constructor'])('finds a droplet that is called %s', (name) => {
    expect(index([9, name]).findByIdOrName(name.toUpperCase())?.id).toBe(9);
  });

  it('tells the names in list order', () => {
    expect(index([2, 'b'], [1, 'a']).names).toEqual(['b', 'a']);
  });
});
