import { beforeEach, describe, expect, it } from '@jest/globals';
import type { TrafficFigures } from './figures.js';
import { Metrics } from './metrics.js';

describe('the Prometheus figures of the traffic', () => {
  let metrics: Metrics;
  let traffic: TrafficFigures[];

  beforeEach(() => {
    metrics = new Metrics();
    traffic = [{ droplet: 'Echo', breaker: 'closed', inFlight: 3, waiting: 2 }];
    metrics.provide({
      eventReaders: () => 0,
      isStoreWritable: () => true,
      queue: () => ({ waiting: 0, running: 0, oldestDueMs: 0 }),
      queued: () => 0,
      totals: () => Promise.reject(new Error('not asked for')),
      registry: () => ({ cacheAgeSeconds: 0, cacheStatus: 'active', known: 1, reachable: 1 }),
      traffic: () => traffic,
    });
  });

  const lines = async (name: string): Promise<string[]> =>
    (await metrics.prometheus()).text.split('\n').filter((line) => line.startsWith(`orchestrator_${name}{`));

  it('give the state of each breaker as 1, and 0 for the states that it has left', async () => {
    const states = async (): Promise<Record<string, string | undefined>> =>
      Object.fromEntries((await lines('droplet_breaker_state')).map((line) => [/state="(.*?)"/.exec(line)?.[1], line.at(-1)]));
    expect(await states()).toEqual({ closed: '1', 'half-open': '0', open: '0', paused: '0' });
    traffic = [{ droplet: 'Echo', breaker: 'open', inFlight: 0, waiting: 0 }];
    expect(await states()).toEqual({ closed: '0', 'half-open': '0', open: '1', paused: '0' });
  });

  it('give the calls in flight and waiting as they are when asked', async () => {
    expect(await lines('droplet_calls_in_flight')).toEqual(['orchestrator_droplet_calls_in_flight{droplet="Echo"} 3']);
    expect(await lines('droplet_calls_waiting')).toEqual(['orchestrator_droplet_calls_waiting{droplet="Echo"} 2']);
    traffic = [{ droplet: 'Echo', breaker: 'closed', inFlight: 0, waiting: 0 }];
    expect(await lines('droplet_calls_in_flight')).toEqual(['orchestrator_droplet_calls_in_flight{droplet="Echo"} 0']);
  });

  it('are given also when the queue cannot be read, and say so', async () => {
    const unreadable = (): never => {
      throw new Error('disk I/O error');
    };
    metrics.provide({ queue: unreadable, isStoreWritable: () => false });
    expect(await lines('droplet_calls_in_flight')).toHaveLength(1);
    expect(await lines('queue_jobs')).toEqual([]);
    const { text } = await metrics.prometheus();
    expect(text).toContain('\norchestrator_store_writable 0\n');
    expect(text).toContain('\norchestrator_queue_oldest_due_age_seconds Nan\n');
  });

  it('count the retries that a budget has refused', async () => {
    expect(await lines('retries_refused_total')).toEqual([]);
    for (const droplet of ['Echo', 'Echo', 'Other']) metrics.retryRefused(droplet);
    expect(await lines('retries_refused_total')).toEqual([
      'orchestrator_retries_refused_total{droplet="Echo"} 2',
      'orchestrator_retries_refused_total{droplet="Other"} 1',
    ]);
  });
});
