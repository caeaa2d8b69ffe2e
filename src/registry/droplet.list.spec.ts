import { describe, expect, it } from '@jest/globals';
import { knownDroplet } from '../../test/support/registry.parts.js';
import { mergeAnswer, type KnownDroplet } from './droplet.list.js';

const KEEP = 1000;
const list = (...names: string[]): KnownDroplet[] => names.map((name) => knownDroplet(name));
const at = (now: number) => ({ now, keepMs: KEEP });
const shown = (droplets: readonly KnownDroplet[]) => droplets.map(({ name, status }) => `${name} ${status}`);

describe('the list after an answer of the Registry', () => {
  it('is the answer, in its order, when there was none before', () => {
    expect(shown(mergeAnswer([], list('b', 'a'), at(0)))).toEqual(['b active', 'a active']);
  });

  it('takes the new endpoint of a known droplet', () => {
    const [moved] = mergeAnswer(list('a'), [knownDroplet('a', { endpoint: 'http://new' })], at(0));
    expect(moved?.endpoint).toBe('http://new');
  });

  it('keeps everything, inactive, when the answer is empty', () => {
    expect(shown(mergeAnswer(list('a', 'b'), [], at(0)))).toEqual(['a inactive', 'b inactive']);
  });

  it('keeps what is missing when over half is lost', () => {
    const merged = mergeAnswer(list('a', 'b', 'c', 'd', 'e'), list('a', 'b'), at(0));
    expect(shown(merged)).toEqual(['a active', 'b active', 'c inactive', 'd inactive', 'e inactive']);
  });

  it.each([
    ['exactly half', list('a', 'b', 'c', 'd'), list('a', 'b')],
    ['one of many', list('a', 'b', 'c'), list('a', 'b')],
  ])('lets %s go at once', (_share, known, answer) => {
    expect(shown(mergeAnswer(known, answer, at(0)))).toEqual(['a active', 'b active']);
  });

  it('keeps the old ones when an answer holds only other droplets', () => {
    expect(shown(mergeAnswer(list('a', 'b'), list('x', 'y', 'z'), at(0)))).toEqual([
      ...['x active', 'y active', 'z active'],
      ...['a inactive', 'b inactive'],
    ]);
  });
});

describe('a droplet that is missing', () => {
  const lost = mergeAnswer(list('a', 'b', 'c'), [], at(0));

  it('is itself again as soon as it returns', () => {
    const merged = mergeAnswer(lost, list('b'), at(KEEP - 1));
    expect(shown(merged)).toEqual(['b active', 'a inactive', 'c inactive']);
    expect(merged[0]?.missingSince).toBeNull();
  });

  it('is kept by later good answers too, and counts from when it was lost', () => {
    const later = mergeAnswer(lost, list('x'), at(600));
    expect(later.map(({ missingSince }) => missingSince)).toEqual([null, 0, 0, 0]);
  });

  it.each([
    [KEEP - 1, 3],
    [KEEP, 0],
  ])('after %i ms of 1000, %i are left', (now, left) => {
    expect(mergeAnswer(lost, [], at(now))).toHaveLength(left);
  });

  it('does not count when it is judged whether over half of the list is lost', () => {
    const known = [...list('a', 'b', 'c'), ...lost.map((droplet) => ({ ...droplet, name: `old-${droplet.name}` }))];
    // One of the three that were shown is gone: it goes at once; the three old ones stay.
    const merged = mergeAnswer(known, list('a', 'b'), at(1));
    expect(shown(merged)).toEqual(['a active', 'b active', 'old-a inactive', 'old-b inactive', 'old-c inactive']);
  });
});
