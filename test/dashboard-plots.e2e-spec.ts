import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import type { Page } from 'playwright-core';
import type { History, Sample } from '../src/dashboard/page/api.types.d.ts';
import { describeInBrowser, Watched } from './support/browser.js';
import { DrawnPlot } from './support/drawn.plot.js';
import { HeldSteps } from './support/held.steps.js';
import { until } from './support/http.client.js';
import { TaskMesh } from './support/task.mesh.js';

const HISTORY = '**/metrics/history*';
const PATIENCE_MS = 20_000;

/** Long enough that a rate can be told from it. */
const LEAST_STEP_S = 0.2;

const rate = ({ seconds }: Sample, value: number): string => {
  const perMinute = (value / seconds) * 60;
  return perMinute.toLocaleString('en', { maximumFractionDigits: perMinute < 100 ? 1 : 0 });
};
const ms = (value: number | null): string =>
  value === null ? '–' : `${value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 1 : 0 })} ms`;
const throughputOf = (sample: Sample): string =>
  `success ${rate(sample, sample.success)}, timeout ${rate(sample, sample.timeout)}, error ${rate(sample, sample.error)}`;
const latencyOf = ({ p50_ms, p95_ms, p99_ms }: Sample): string => `p50 ${ms(p50_ms)}, p95 ${ms(p95_ms)}, p99 ${ms(p99_ms)}`;
const queueOf = ({ queued, in_flight, waiting }: Sample): string =>
  `queued ${queued}, in flight ${in_flight}, waiting ${waiting}`;
const at = (sample: Sample | undefined): string => new Date((sample?.at ?? 0) * 1000).toLocaleTimeString('en-GB');

describeInBrowser('the plots of the last hour', () => {
  let mesh: TaskMesh;
  let steps: HeldSteps;
  let watched: Watched;
  let plots: { throughput: DrawnPlot; latency: DrawnPlot; queue: DrawnPlot };

  beforeEach(async () => {
    steps = new HeldSteps();
    mesh = await TaskMesh.start();
    watched = await Watched.open('about:blank');
    const of = (id: 'throughput' | 'latency' | 'queue'): DrawnPlot => new DrawnPlot(watched.page, id);
    plots = { throughput: of('throughput'), latency: of('latency'), queue: of('queue') };
  });
  afterEach(async () => {
    await watched.close();
    await mesh.stop();
    jest.restoreAllMocks();
  });

  const open = async (): Promise<Page> => {
    await watched.page.goto(`${mesh.orchestrator.url}/dashboard`);
    await watched.page.getByText('live', { exact: true }).waitFor();
    return watched.page;
  };
  const history = async (): Promise<History> => (await mesh.orchestrator.get('/metrics/history')).json;
  const says = (plot: DrawnPlot, text: string): Promise<boolean> =>
    until(async () => (await plot.label()).includes(text), PATIENCE_MS);

  /** What the page is told stays the same from now on: all that was, and no step that has only begun. */
  async function stop(page: Page): Promise<readonly Sample[]> {
    const told = await history();
    await page.route(HISTORY, (route) => route.fulfill({ json: { ...told, current: { ...told.current, seconds: 1 } } }));
    await says(plots.queue, `now: ${queueOf(told.samples.at(-1)!)}`);
    await says(plots.throughput, `now: ${throughputOf(told.samples.at(-1)!)}`);
    return told.samples;
  }

  async function endStep(): Promise<void> {
    await until(async () => (await history()).current.seconds >= LEAST_STEP_S);
    steps.end();
  }

  /** A step in which nothing ends, one with all kinds of ends, an idle one, one that leaves much to do, one more. */
  async function live(): Promise<void> {
    await endStep();
    for (const path of ['/echo', '/echo', '/slow?ms=300', '/status?code=404']) await mesh.ask(path);
    await endStep();
    await endStep();
    for (let index = 0; index < 5; index++) await mesh.queue('/echo', { delay_ms: 3_600_000 });
    await mesh.recordWhen(await mesh.queue('/never'), ['running']);
    await mesh.ask('/slow?ms=120');
    await endStep();
    await mesh.ask('/echo');
    await endStep();
  }

  it('of a server that has done nothing say so: zero, and no latency', async () => {
    await open();
    await says(plots.throughput, 'Tasks a minute, now: success 0, timeout 0, error 0');
    expect(await plots.latency.label()).toBe('Latency, now: p50 –, p95 –, p99 –');
    expect(await plots.queue.label()).toBe('Queue, now: queued 0, in flight 0, waiting 0');
    expect(await plots.latency.pieces('p95')).toEqual([]);
    const [line] = await plots.queue.pieces('queued');
    expect(new Set(await plots.queue.valuesOf(line!, 4))).toEqual(new Set([0]));
    expect(watched.faults).toEqual([]);
  });

  it('tell each step as the server does, and the newest one now', async () => {
    await live();
    const samples = await stop(await open());
    expect(samples).toHaveLength(5);
    const told = (title: string, textOf: (sample: Sample) => string): string[] =>
      samples.map((sample) => `${title}, ${at(sample)}: ${textOf(sample)}`);
    expect(await plots.throughput.labels(5)).toEqual(told('Tasks a minute', throughputOf));
    expect(await plots.latency.labels(5)).toEqual(told('Latency', latencyOf));
    expect(await plots.queue.labels(5)).toEqual(told('Queue', queueOf));
    expect((await plots.queue.legend()).replaceAll(/\s/g, '')).toBe(queueOf(samples[4]!).replaceAll(/[, ]/g, ''));
    expect(queueOf(samples[4]!)).toBe('queued 6, in flight 1, waiting 0');
  }, 40_000);

  it('draw what they tell: a point for each step at its height, and a line that is broken where nothing ended', async () => {
    await live();
    const samples = await stop(await open());
    const [queued = []] = await plots.queue.pieces('queued');
    const values = await plots.queue.valuesOf(queued, Number((await plots.queue.texts())[0]));
    expect(values.map(Math.round)).toEqual([samples[0]!, ...samples].map((sample) => sample.queued));
    const most = Number((await plots.throughput.texts())[0]?.replace(',', ''));
    const [failed = []] = await plots.throughput.pieces('error');
    const tops = await plots.throughput.valuesOf(failed.slice(0, samples.length + 1), most);
    const totals = [samples[0]!, ...samples].map(({ seconds, success, error }) => ((success + error) / seconds) * 60);
    for (const [index, top] of tops.entries()) expect(Math.abs(top - totals[index]!)).toBeLessThan(most / 100);
    expect(samples.map(({ p95_ms }) => p95_ms !== null)).toEqual([false, true, false, true, true]);
    expect((await plots.latency.pieces('p95')).map((points) => points.length)).toEqual([2, 3]);
  }, 40_000);

  it('are drawn anew as time goes on', async () => {
    await open();
    await says(plots.queue, 'queued 0');
    await mesh.queue('/echo', { delay_ms: 3_600_000 });
    await mesh.ask('/slow?ms=50');
    await endStep();
    const [first] = (await history()).samples;
    await says(plots.latency, latencyOf(first!));
    await says(plots.queue, 'queued 1');
    const drawn = await plots.queue.pieces('queued');
    await mesh.queue('/echo', { delay_ms: 3_600_000 });
    await endStep();
    await says(plots.queue, 'queued 2');
    expect(await plots.queue.pieces('queued')).not.toEqual(drawn);
  }, 60_000);

  it('leave out the time that nobody saw, and say, as the tiles do, of when they are while no newer figures come', async () => {
    const end = Date.now() / 1000;
    const told = await history();
    const stepAt = (ago: number): Sample => ({ ...told.current, at: end - ago, seconds: 15, success: 30, p95_ms: 80, queued: 3 });
    const samples = [60, 45, 30, 15, 0].flatMap((ago) => [stepAt(ago + 900), stepAt(ago)]).sort((a, b) => a.at - b.at);
    await watched.page.route(HISTORY, (route) => route.fulfill({ json: { ...told, samples } }));
    const page = await open();
    await says(plots.queue, 'now: queued 3');
    for (const pieces of [await plots.queue.pieces('queued'), await plots.latency.pieces('p95')]) {
      expect(pieces.map((points) => points.length)).toEqual([6, 6]);
      expect(pieces[1]![0]![0] - pieces[0]![5]![0]).toBeGreaterThan(100);
    }
    expect((await plots.throughput.pieces('success')).map((points) => points.length)).toEqual([12, 12]);
    await page.unroute(HISTORY);
    await page.route(HISTORY, (route) => route.fulfill({ status: 503, body: 'busy' }));
    await says(plots.queue, `Queue, ${at(samples.at(-1))}: queued 3`);
    expect(await plots.queue.texts()).not.toContain('now');
    const notes = page.locator('#tiles small').filter({ hasText: `at ${at(told.current)}` });
    expect(await notes.count()).toBe(5);
    await page.unroute(HISTORY);
    await says(plots.queue, 'now: queued');
    expect(await notes.count()).toBe(0);
  }, 60_000);
});
