import { h, setAttribute, setText } from './dom.js';
import { count, duration, percent } from './format.js';
import { drawSpark, spark } from './spark.js';

/**
 * @typedef {import('./api.types.d.ts').Droplet} Droplet
 * @typedef {{ state: Element, link: Element, name: Element, endpoint: Element, breaker: Element, inFlight: Element, success: Element, p95: Element, plot: ReturnType<typeof spark> }} Parts
 */

/** @type {WeakMap<HTMLElement, Parts>} */
const partsOf = new WeakMap();

/** A row for a droplet; `updateDropletRow` fills it. */
export function makeDropletRow() {
  const [state, name, breaker, inFlight, success, p95] = Array.from({ length: 6 }, () => h('span'));
  const endpoint = h('span', { class: 'path' });
  const plot = spark();
  const link = h('a', {}, h('b', {}, name), endpoint);
  const row = h(
    'div',
    { role: 'row', class: 'row' },
    h('span', { role: 'cell', class: 'state' }, h('i', { class: 'sign' }), state),
    h('span', { role: 'cell', class: 'what' }, link),
    h('span', { role: 'cell', class: 'breaker' }, breaker),
    h('span', { role: 'cell', class: 'figure busy' }, inFlight),
    h('span', { role: 'cell', class: 'figure success' }, success),
    h('span', { role: 'cell', class: 'figure speed' }, plot.chart, p95),
  );
  partsOf.set(row, /** @type {Parts} */ ({ state, link, name, endpoint, breaker, inFlight, success, p95, plot }));
  return row;
}

/**
 * @param {HTMLElement} row
 * @param {Droplet} droplet
 * @param {readonly (number | null)[]} past its p95 as the page has seen it
 */
export function updateDropletRow(row, droplet, past) {
  const parts = partsOf.get(row);
  if (!parts) return;
  const { name, endpoint, health, status } = droplet;
  setAttribute(row, 'data-tone', toneOf(droplet));
  setText(parts.state, health.breaker === 'paused' ? 'paused' : health.state);
  setAttribute(parts.link, 'href', `#droplet/${encodeURIComponent(name)}`);
  setText(parts.name, name);
  setText(parts.endpoint, status === 'active' ? endpoint : `${status} · ${endpoint}`);
  setText(parts.breaker, health.breaker);
  setAttribute(parts.breaker, 'data-breaker', health.breaker);
  setText(parts.inFlight, count(health.in_flight));
  setText(parts.success, percent(health.success_rate_percent));
  setText(parts.p95, duration(health.p95_ms));
  drawSpark(parts.plot, past);
}

/** @param {Droplet} droplet */
export const toneOf = ({ health: { state, breaker } }) => (breaker === 'paused' ? 'paused' : state);
