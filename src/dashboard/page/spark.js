import { setAttribute, svg } from './dom.js';
import { linear, linePath } from './scale.js';

const WIDTH = 72;
const HEIGHT = 22;
/** How many values a line has when it is whole; a shorter one ends at the right, too. */
export const SPARK_VALUES = 40;

/** A line as small as a word; beside it stands its last value. */
export function spark() {
  const line = svg('path', { class: 'line', 'data-tone': 'p95' });
  const dot = svg('circle', { r: 2, class: 'dot' });
  const chart = svg('svg', { class: 'spark', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, 'aria-hidden': 'true' }, line, dot);
  return { chart, line, dot };
}

/**
 * @param {ReturnType<typeof spark>} parts
 * @param {readonly (number | null)[]} values oldest first
 */
export function drawSpark({ line, dot }, values) {
  const known = values.filter((value) => value !== null);
  const x = linear([values.length - SPARK_VALUES, Math.max(1, values.length - 1)], [2, WIDTH - 3]);
  // From zero, so that a flat line of a slow droplet stands higher than its noise.
  const y = linear([0, Math.max(1, ...known) * 1.15], [HEIGHT - 2, 3]);
  setAttribute(line, 'd', linePath(values.map((value, index) => [x(index), value === null ? null : y(value)])));
  const last = values.at(-1);
  setAttribute(dot, 'class', last === undefined || last === null ? 'dot off' : 'dot');
  setAttribute(dot, 'cx', x(Math.max(0, values.length - 1)));
  setAttribute(dot, 'cy', y(last ?? 0));
}
