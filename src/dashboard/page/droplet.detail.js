import { pauseDroplet, resumeDroplet, setBreaker } from './actions.js';
import { get } from './api.js';
import { h } from './dom.js';
import { toneOf } from './droplet.row.js';
import { button, facts } from './facts.js';
import { count, duration, percent } from './format.js';
import { drawSpark, spark } from './spark.js';
import { filterForDroplet } from './task.filter.js';

/** @typedef {import('./api.types.d.ts').Droplet} Droplet */

/**
 * @typedef {object} DropletParts
 * @property {(name: string) => readonly (number | null)[]} pastOf
 * @property {(droplet: Droplet) => void} onChanged
 * @property {(filter: string) => void} onTasksWanted
 */

/**
 * One droplet, with what an operator can do.
 * @param {string | number} key its id, or its name
 * @param {DropletParts} parts
 * @returns {Promise<import('./detail.view.js').Detail>}
 */
export async function dropletDetail(key, { pastOf, onChanged, onTasksWanted }) {
  const { droplet } = /** @type {{ droplet: Droplet }} */ (await get(`droplets/${encodeURIComponent(String(key))}`));
  const { health } = droplet;
  const plot = spark();
  plot.chart.classList.add('large');
  plot.chart.setAttribute('preserveAspectRatio', 'none');
  const past = pastOf(droplet.name);
  drawSpark(plot, past);
  const tone = toneOf(droplet);
  return {
    title: droplet.name,
    state: JSON.stringify([droplet, past]),
    parts: [
      h('p', { class: 'lead' }, h('span', { class: 'pill', 'data-tone': tone }, tone), h('code', {}, droplet.endpoint)),
      orders(droplet, onChanged),
      h('h3', {}, 'Calls'),
      facts([
        ['Breaker', health.breaker],
        ['In flight', count(health.in_flight)],
        ['Success, last minute', percent(health.success_rate_percent)],
        ['p95', duration(health.p95_ms)],
      ]),
      plot.chart,
      h(
        'p',
        { class: 'buttons' },
        button('Its tasks', () => onTasksWanted(filterForDroplet(droplet.name))),
      ),
      h('h3', {}, 'Registry'),
      facts([
        ['Id', String(droplet.id)],
        ['Status', droplet.status],
        ['Version', droplet.version],
        ['Steward', droplet.steward],
        ['Updated', droplet.updated_at],
      ]),
    ],
  };
}

/**
 * @param {Droplet} droplet
 * @param {(droplet: Droplet) => void} onChanged
 */
function orders(droplet, onChanged) {
  const after = (/** @type {Promise<Droplet | null>} */ order) => void order.then((changed) => changed && onChanged(changed));
  const isPaused = droplet.health.breaker === 'paused';
  return h(
    'div',
    { class: 'buttons' },
    isPaused
      ? button('Resume', () => after(resumeDroplet(droplet)))
      : button('Pause', () => after(pauseDroplet(droplet)), { isGrave: true }),
    h(
      'span',
      { class: 'group', role: 'group', 'aria-label': 'Breaker' },
      h('span', { class: 'muted' }, 'Breaker'),
      button('Open', () => after(setBreaker(droplet, 'open'))),
      button('Closed', () => after(setBreaker(droplet, 'closed'))),
      button('Auto', () => after(setBreaker(droplet, 'auto'))),
    ),
  );
}
