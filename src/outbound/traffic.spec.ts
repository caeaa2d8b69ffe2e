import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../test/support/manual.clock.js';
import { parseSettings } from '../config/settings.js';
import { Metrics } from '../metrics/metrics.js';
import type { CallResult } from './circuit.breaker.js';
import { ResponseMemory } from './response.memory.js';
import { Traffic } from './traffic.js';

const MINUTE = 60_000;
const OPEN_MS = 2 * MINUTE;

describe('the traffic of droplets that the Registry lists no more', () => {
  let clock: ManualClock;
  let metrics: Metrics;
  let traffic: Traffic;
  let listed: string[];

  beforeEach(() => {
    clock = new ManualClock();
    metrics = new Metrics();
    const settings = parseSettings({ BREAKER_MIN_CALLS: '1', BREAKER_OPEN_MS: String(OPEN_MS) });
    traffic = new Traffic(settings, new ResponseMemory(settings), metrics, clock);
    listed = ['echo', 'other'];
    traffic.goBy((name) => listed.includes(name.toLowerCase()));
    traffic.onModuleInit();
    metrics.provide({
      ...{
        eventReaders: () => 0,
        isStoreWritable: () => true,
        queue: () => ({ waiting: 0, running: 0, oldestDueMs: 0 }),
        queued: () => 0,
      },
      totals: () => Promise.reject(new Error('not asked for')),
      registry: () => ({ cacheAgeSeconds: 0, cacheStatus: 'active', known: 1, reachable: 1 }),
    });
  });

  const enter = (name: string) => {
    const wait = { deadline: clock.monotonic() + 1000, signals: () => [], isFirst: true, isPatient: false };
    return traffic.of(name).enter(wait);
  };
  const call = async (name: string, result: CallResult = 'success'): Promise<void> => {
    (await enter(name))?.leave(result, 1);
    metrics.attemptMade(name, 'answered', 1);
    metrics.taskFinished({ droplet: name, status: 'success', durationMs: 1, retryCount: 1 });
    metrics.retryRefused(name);
  };
  /** The droplets in the text, once what a scrape finds to be gone is gone. */
  const shown = async (): Promise<string[]> => {
    await metrics.prometheus();
    const { text } = await metrics.prometheus();
    return [...new Set(Array.from(text.matchAll(/droplet="(.*?)"/g), ([, name = '']) => name))].toSorted();
  };

  it('is forgotten after a minute, with all its figures, and that of the others is not', async () => {
    for (const name of ['Echo', 'Other']) await call(name);
    listed = ['other'];
    clock.advance(MINUTE - 1);
    expect(await shown()).toEqual(['Echo', 'Other']);
    clock.advance(1);
    expect(await shown()).toEqual(['Other']);
    expect(traffic.healthOf('Echo')).toMatchObject({ state: 'unknown', p95_ms: null });
    expect(traffic.healthOf('Other')).toMatchObject({ p95_ms: 1 });
  });

  it('is forgotten when another one is called, although nobody asks for the figures', async () => {
    await call('Echo');
    listed = ['other'];
    clock.advance(2 * MINUTE);
    await call('Other');
    expect(traffic.healthOf('echo').p95_ms).toBeNull();
  });

  it('is kept while a call is under way', async () => {
    const turn = await enter('Echo');
    listed = [];
    clock.advance(2 * MINUTE);
    expect(await shown()).toEqual(['Echo']);
    expect(traffic.healthOf('Echo').in_flight).toBe(1);
    turn?.leave('neutral', 1);
    clock.advance(2 * MINUTE);
    expect(await shown()).toEqual([]);
  });

  it('is kept while its breaker is open, and no longer', async () => {
    await call('Echo', 'failure');
    listed = [];
    clock.advance(OPEN_MS - 1);
    expect(await shown()).toEqual(['Echo']);
    clock.advance(MINUTE);
    expect(await shown()).toEqual([]);
  });

  it.each([
    { paused: true, breaker: 'auto' },
    { paused: false, breaker: 'open' },
    { paused: false, breaker: 'closed' },
  ] as const)('is kept while an operator holds it: %j', async (orders) => {
    await call('Echo');
    traffic.obey(new Map([['echo', orders]]));
    listed = [];
    clock.advance(2 * MINUTE);
    expect(await shown()).toEqual(['Echo']);
  });

  it('begins afresh when it is called again', async () => {
    await call('Echo');
    listed = [];
    clock.advance(2 * MINUTE);
    expect(await shown()).toEqual([]);
    await call('echo');
    expect(await shown()).toEqual(['echo']);
  });
});
