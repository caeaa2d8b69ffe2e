const NICE = [1, 2, 2.5, 5, 10];

/**
 * The least round number that is not below a value: the upper end of an axis.
 * @param {number} value
 * @param {number} least where the axis ends at the least
 */
export function niceMax(value, least = 1) {
  if (value <= least) return least;
  const power = 10 ** Math.floor(Math.log10(value));
  return (NICE.find((step) => step * power >= value) ?? 10) * power;
}

/**
 * From a value to its place.
 * @param {readonly [number, number]} domain
 * @param {readonly [number, number]} range
 * @returns {(value: number) => number}
 */
export function linear([from, to], [start, end]) {
  const factor = to === from ? 0 : (end - start) / (to - from);
  return (value) => start + (value - from) * factor;
}

/**
 * The path of a line; where a value is missing it is broken.
 * @param {readonly (readonly [number, number | null])[]} points
 */
export function linePath(points) {
  let isOpen = false;
  return points
    .map(([x, y]) => {
      const command = isOpen ? 'L' : 'M';
      isOpen = y !== null;
      return y === null ? '' : `${command}${round(x)} ${round(y)}`;
    })
    .join('');
}

/**
 * The path of what lies between two lines.
 * @param {readonly (readonly [number, number, number])[]} points x, upper and lower y
 */
export function areaPath(points) {
  if (points.length === 0) return '';
  const upper = points.map(([x, y]) => `${round(x)} ${round(y)}`);
  const lower = points.map(([x, , y]) => `${round(x)} ${round(y)}`).reverse();
  return `M${upper.join('L')}L${lower.join('L')}Z`;
}

/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10;
