import { h, setAttribute, setText } from './dom.js';
import { stateCounts } from './droplet.order.js';
import { count, duration, percent, plural, timeOfDay } from './format.js';
import { recent } from './samples.js';

/**
 * @typedef {import('./api.types.d.ts').Droplet} Droplet
 * @typedef {import('./api.types.d.ts').Sample} Sample
 */

/** Below this a success rate wants looking at, and far below it at once. */
const GOOD = 99;
const BAD = 90;

/** The few figures that say at a glance whether all is well. */
export class Tiles {
  /** When the figures were those of now, epoch seconds. @type {number | null} */
  #figuresAt = null;

  /** @param {HTMLElement} host */
  constructor(host) {
    this.rate = tile(host, 'Tasks a minute');
    this.success = tile(host, 'Success, last minute');
    this.latency = tile(host, 'p95, last minute');
    this.queue = tile(host, 'Queued');
    this.flight = tile(host, 'In flight');
    this.droplets = tile(host, 'Droplets');
  }

  /**
   * @param {readonly Sample[]} samples
   * @param {Sample} current
   */
  showFigures(samples, current) {
    this.#figuresAt = current.at;
    const { perMinute, successPercent, retries, p95Ms } = recent(samples, current);
    this.rate.show(count(Math.round(perMinute)), retries > 0 ? plural(retries, 'failed attempt') : '');
    this.success.show(percent(successPercent), '', toneOfRate(successPercent));
    this.latency.show(duration(p95Ms));
    this.queue.show(count(current.queued));
    this.flight.show(count(current.in_flight), current.waiting > 0 ? `${count(current.waiting)} wait for a place` : '');
  }

  /** The figures stay, and say of when they are. */
  showLate() {
    if (this.#figuresAt === null) return;
    const note = `at ${timeOfDay(this.#figuresAt)}`;
    for (const each of [this.rate, this.success, this.latency, this.queue, this.flight]) each.note(note);
  }

  /** @param {readonly Droplet[]} droplets */
  showDroplets(droplets) {
    const { degraded, down, paused } = stateCounts(droplets);
    const bad = [
      [down, 'down'],
      [degraded, 'degraded'],
      [paused, 'paused'],
    ].flatMap(([many, word]) => (many === 0 ? [] : `${many} ${word}`));
    const tone = down > 0 ? 'error' : bad.length > 0 ? 'timeout' : '';
    this.droplets.show(count(droplets.length), bad.join(', ') || 'no trouble', tone);
  }
}

/** @param {number | null} value */
const toneOfRate = (value) => (value === null || value >= GOOD ? '' : value < BAD ? 'error' : 'timeout');

/**
 * @param {HTMLElement} host
 * @param {string} name
 */
function tile(host, name) {
  const value = h('b', {}, '–');
  const more = h('small');
  const item = h('li', {}, h('span', {}, name), value, more);
  host.append(item);
  return {
    /** @param {string} text @param {string} note @param {string} tone */
    show: (text, note = '', tone = '') => {
      setText(value, text);
      setText(more, note);
      setAttribute(item, 'data-tone', tone || null);
    },
    /** @param {string} text */
    note: (text) => setText(more, text),
  };
}
