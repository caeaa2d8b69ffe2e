import { get } from './api.js';
import { byId } from './dom.js';
import { count, duration } from './format.js';
import { Plot } from './plot.js';
import { Poller } from './poller.js';
import { mergedSamples, perMinute } from './samples.js';

/** @typedef {import('./api.types.d.ts').Sample} Sample */

const EVERY_MS = 5000;

/** The plots of the last hour. */
export class HistoryView {
  /** @type {readonly Sample[]} */
  #samples = [];

  /** @param {{ onSamples: (samples: readonly Sample[], current: Sample) => void, onLate: () => void }} listeners */
  constructor(listeners) {
    this.listeners = listeners;
    this.plots = [
      new Plot(byId('plot-throughput', HTMLElement), {
        ...{ title: 'Tasks a minute', isStacked: true, least: 4, format: count },
        series: [
          { name: 'success', tone: 'success', value: (sample) => perMinute(sample, sample.success) },
          { name: 'timeout', tone: 'timeout', value: (sample) => perMinute(sample, sample.timeout) },
          { name: 'error', tone: 'error', value: (sample) => perMinute(sample, sample.error) },
        ],
      }),
      new Plot(byId('plot-latency', HTMLElement), {
        ...{ title: 'Latency', isStacked: false, least: 10, format: duration },
        series: [
          { name: 'p50', tone: 'p50', value: ({ p50_ms }) => p50_ms },
          { name: 'p95', tone: 'p95', value: ({ p95_ms }) => p95_ms },
          { name: 'p99', tone: 'p99', value: ({ p99_ms }) => p99_ms },
        ],
      }),
      new Plot(byId('plot-queue', HTMLElement), {
        ...{ title: 'Queue', isStacked: false, least: 4, format: count },
        series: [
          { name: 'queued', tone: 'queued', value: ({ queued }) => queued },
          { name: 'in flight', tone: 'running', value: ({ in_flight }) => in_flight },
          { name: 'waiting', tone: 'timeout', value: ({ waiting }) => waiting },
        ],
      }),
    ];
    this.poller = new Poller(
      () => this.#ask(),
      () => EVERY_MS,
    );
  }

  async #ask() {
    const since = this.#samples.at(-1)?.at ?? 0;
    try {
      const { samples, current } = /** @type {import('./api.types.d.ts').History} */ (
        await get(`metrics/history?since=${since}`)
      );
      this.#samples = mergedSamples(this.#samples, samples);
      // A step that has only begun says little of a rate.
      const shown = current.seconds >= 5 || this.#samples.length === 0 ? [...this.#samples, current] : this.#samples;
      for (const plot of this.plots) plot.show(shown);
      this.listeners.onSamples(this.#samples, current);
    } catch {
      // Why, is told elsewhere.
      for (const plot of this.plots) plot.showLate();
      this.listeners.onLate();
    }
  }
}
