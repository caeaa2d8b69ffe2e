import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../test/support/manual.clock.js';
import { knownDroplet, settingsOf } from '../../test/support/registry.parts.js';
import { DropletCache } from './droplet.cache.js';

const MINUTE = 60_000;

describe('the droplet cache', () => {
  let clock: ManualClock;
  let cache: DropletCache;

  beforeEach(() => {
    clock = new ManualClock();
    cache = new DropletCache(clock, settingsOf({ REGISTRY_CACHE_EXPIRY: '300' }));
  });

  it('starts empty: no list, no droplet to be found', () => {
    expect([cache.hasList, cache.droplets.droplets, cache.droplets.find('echo')]).toEqual([false, [], undefined]);
  });

  it('is unavailable and 999999 seconds old as long as there never was a list', () => {
    clock.advance(10 * MINUTE);
    expect([cache.status, cache.ageSeconds]).toEqual(['unavailable', 999_999]);
  });

  it('is active while it is fresh', () => {
    cache.accept([knownDroplet('echo')]);
    clock.advance(5 * MINUTE);
    expect([cache.status, cache.ageSeconds]).toEqual(['active', 300]);
  });

  it('is stale when it is older than REGISTRY_CACHE_EXPIRY, and its droplets are still found', () => {
    cache.accept([knownDroplet('echo')]);
    clock.advance(5 * MINUTE + 1);
    expect(cache.status).toBe('stale');
    clock.advance(5 * MINUTE);
    expect([cache.status, cache.droplets.find('ECHO')?.name]).toEqual(['stale', 'echo']);
  });

  it('is active again after the next good answer', () => {
    cache.accept([knownDroplet('echo')]);
    clock.advance(10 * MINUTE);
    cache.accept([knownDroplet('echo')]);
    expect([cache.status, cache.ageSeconds]).toEqual(['active', 0]);
  });

  it('counts an empty answer as a list', () => {
    cache.accept([]);
    expect([cache.status, cache.hasList]).toEqual(['active', true]);
  });

  it.each([
    [1, 'active', 60],
    [6, 'stale', 360],
    [-60, 'active', 0],
  ])('a list saved %i minutes ago is %s and %i seconds old', (minutes, status, age) => {
    cache.restore([knownDroplet('echo')], clock.now() - minutes * MINUTE);
    expect([cache.status, cache.ageSeconds, cache.droplets.names]).toEqual([status, age, ['echo']]);
  });

  it('forgets a missing droplet after REGISTRY_MISSING_KEEP, also one that was missing in an earlier life', () => {
    const keep = 24 * 60 * MINUTE;
    cache.restore([knownDroplet('lost', { missingSince: clock.now() - keep + MINUTE, status: 'inactive' })], clock.now());
    cache.accept([]);
    expect(cache.droplets.names).toEqual(['lost']);
    clock.advance(MINUTE);
    cache.accept([]);
    expect(cache.droplets.names).toEqual([]);
  });
});
