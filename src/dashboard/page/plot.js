import { h, setAttribute, setText, svg } from './dom.js';
import { timeOfDay } from './format.js';
import { spanMinutes } from './samples.js';
import { linear, niceMax } from './scale.js';
import { areasOf, linesOf } from './step.paths.js';

const HEIGHT = 132;
const EDGE = { top: 10, bottom: 18, left: 2, right: 2 };

/**
 * @typedef {import('./api.types.d.ts').Sample} Sample
 * @typedef {object} Series
 * @property {string} name
 * @property {string} tone gives the colour
 * @property {(sample: Sample) => number | null} value
 * @typedef {object} PlotOptions
 * @property {string} title
 * @property {boolean} isStacked areas on top of each other; else lines
 * @property {readonly Series[]} series
 * @property {(value: number | null) => string} format
 * @property {number} least where the axis ends at the least
 */

/** The last hour of some figures. The legend tells the values under the pointer, or, by the arrow keys, of any step. */
export class Plot {
  /** @type {readonly Sample[]} */
  #samples = [];
  /** @type {number | null} */
  #cursor = null;
  #width = 300;
  /** No newer figures could be had. */
  #isLate = false;

  /**
   * @param {HTMLElement} host
   * @param {PlotOptions} options
   */
  constructor(host, options) {
    this.options = options;
    this.values = options.series.map(() => h('b', {}, '–'));
    this.when = h('span', { class: 'when' });
    this.shapes = options.series.map(({ tone }) =>
      svg('path', { class: options.isStacked ? 'area' : 'line', 'data-tone': tone }),
    );
    this.grid = svg('g', { class: 'grid' });
    this.labels = svg('g', { class: 'labels' });
    this.pointer = svg('line', { class: 'pointer', y1: EDGE.top, y2: HEIGHT - EDGE.bottom });
    this.chart = svg('svg', { height: HEIGHT, 'aria-hidden': 'true' }, this.grid, ...this.shapes, this.labels, this.pointer);
    this.figure = h('div', { class: 'chart', tabindex: 0, role: 'img' }, this.chart);
    host.append(h('header', {}, h('h3', {}, options.title), this.when), this.#legend(), this.figure);
    this.#listen();
  }

  /** @param {readonly Sample[]} samples oldest first */
  show(samples) {
    this.#samples = samples;
    this.#isLate = false;
    this.#draw();
  }

  /** What is drawn stays, and says of when it is. */
  showLate() {
    this.#isLate = true;
    this.#draw();
  }

  #legend() {
    const items = this.options.series.map(({ name, tone }, index) =>
      h('li', {}, h('i', { class: 'key', 'data-tone': tone }), name, this.values[index]),
    );
    return h('ul', { class: 'legend' }, ...items);
  }

  #listen() {
    this.figure.addEventListener('pointermove', ({ clientX }) => this.#pointAt(clientX));
    this.figure.addEventListener('pointerleave', () => this.#point(null));
    this.figure.addEventListener('blur', () => this.#point(null));
    this.figure.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      const last = this.#samples.length - 1;
      this.#point(Math.min(last, Math.max(0, (this.#cursor ?? last) + step)));
    });
    new ResizeObserver(([entry]) => {
      this.#width = Math.max(120, Math.round(entry?.contentRect.width ?? 0));
      this.#draw();
    }).observe(this.figure);
  }

  get #x() {
    const end = this.#samples.at(-1)?.at ?? 0;
    return linear([end - spanMinutes(this.#samples) * 60, end], [EDGE.left, this.#width - EDGE.right]);
  }

  /** What stands at the right end. */
  get #end() {
    if (!this.#isLate) return 'now';
    const last = this.#samples.at(-1);
    return last ? timeOfDay(last.at) : 'unknown';
  }

  #draw() {
    const { isStacked, least, format, series } = this.options;
    const tops = isStacked ? [this.#upTo(series.length)] : series.map(({ value }) => value);
    const max = niceMax(maxOf(this.#samples.flatMap((sample) => tops.map((top) => top(sample)))) ?? 0, least);
    const y = linear([0, max], [HEIGHT - EDGE.bottom, EDGE.top]);
    setAttribute(this.chart, 'viewBox', `0 0 ${this.#width} ${HEIGHT}`);
    series.forEach(({ value }, index) => {
      const heights = { upper: this.#upTo(index + 1), lower: this.#upTo(index) };
      const scales = { x: this.#x, y };
      const path = isStacked ? areasOf(this.#samples, heights, scales) : linesOf(this.#samples, value, scales);
      setAttribute(/** @type {Element} */ (this.shapes[index]), 'd', path);
    });
    this.#drawGrid(y, [max, max / 2], format);
    this.#tell();
  }

  /**
   * How high the first few of the series stand on top of each other.
   * @param {number} end
   * @returns {(sample: Sample) => number}
   */
  #upTo(end) {
    const below = this.options.series.slice(0, end);
    return (sample) => below.reduce((sum, { value }) => sum + (value(sample) ?? 0), 0);
  }

  /**
   * @param {(value: number) => number} y
   * @param {readonly number[]} values
   * @param {(value: number) => string} format
   */
  #drawGrid(y, values, format) {
    const right = this.#width - EDGE.right;
    const lines = [0, ...values].map((value) => svg('line', { x1: EDGE.left, x2: right, y1: y(value), y2: y(value) }));
    this.grid.replaceChildren(...lines);
    const ofValues = values.map((value) => svg('text', { x: EDGE.left, y: y(value) - 3 }, format(value)));
    const middle = (EDGE.left + right) / 2;
    const span = spanMinutes(this.#samples);
    const ofTimes = [
      svg('text', { x: EDGE.left, y: HEIGHT - 4 }, `${span} min ${this.#isLate ? 'before' : 'ago'}`),
      svg('text', { x: middle, y: HEIGHT - 4, 'text-anchor': 'middle' }, span / 2),
      svg('text', { x: right, y: HEIGHT - 4, 'text-anchor': 'end' }, this.#end),
    ];
    this.labels.replaceChildren(...ofValues, ...ofTimes);
  }

  /** @param {number} clientX */
  #pointAt(clientX) {
    const { left } = this.figure.getBoundingClientRect();
    const x = this.#x;
    const distances = this.#samples.map(({ at }) => Math.abs(x(at) - (clientX - left)));
    this.#point(distances.indexOf(Math.min(...distances)));
  }

  /** @param {number | null} index */
  #point(index) {
    this.#cursor = index === null || index < 0 ? null : index;
    this.#tell();
  }

  /** Tells the values of the step pointed at, or of the last whole one. */
  #tell() {
    const sample = this.#samples[this.#cursor ?? this.#samples.length - 1];
    const texts = this.options.series.map(({ value }) => this.options.format(sample ? value(sample) : null));
    this.values.forEach((node, index) => setText(node, texts[index] ?? ''));
    const isPast = this.#cursor !== null && sample !== undefined;
    const when = isPast ? timeOfDay(sample.at) : this.#end;
    setText(this.when, when);
    setAttribute(this.pointer, 'class', isPast ? 'pointer on' : 'pointer');
    if (isPast) for (const name of ['x1', 'x2']) setAttribute(this.pointer, name, this.#x(sample.at));
    const summary = this.options.series.map(({ name }, index) => `${name} ${texts[index] ?? ''}`).join(', ');
    setAttribute(this.figure, 'aria-label', `${this.options.title}, ${when}: ${summary}`);
  }
}

/** @param {readonly (number | null)[]} values */
const maxOf = (values) => values.reduce((most, value) => (value !== null && value > (most ?? -Infinity) ? value : most), null);
