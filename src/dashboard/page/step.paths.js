import { areaPath, linePath } from './scale.js';

/**
 * @typedef {import('./api.types.d.ts').Sample} Sample
 * @typedef {(sample: Sample) => number} Height
 * @typedef {{ x: (seconds: number) => number, y: (value: number) => number }} Scales
 */

/** A step begins where the one before it ended, but for rounding and a clock that was set; more is time that nobody saw. */
const SLACK_S = 5;

/**
 * The line of a value over the steps; where there is none, or no step, it is broken.
 * @param {readonly Sample[]} samples oldest first
 * @param {(sample: Sample) => number | null} value
 * @param {Scales} scales
 */
export const linesOf = (samples, value, { x, y }) =>
  piecesOf(samples, (sample) => value(sample) !== null)
    .map((piece) => linePath(edgesOf(piece).map(([at, sample]) => [x(at), y(value(sample) ?? 0)])))
    .join('');

/**
 * The area between two values over the steps, without the time that has none.
 * @param {readonly Sample[]} samples oldest first
 * @param {{ upper: Height, lower: Height }} heights
 * @param {Scales} scales
 */
export const areasOf = (samples, { upper, lower }, { x, y }) =>
  piecesOf(samples, () => true)
    .map((piece) => areaPath(edgesOf(piece).map(([at, sample]) => [x(at), y(upper(sample)), y(lower(sample))])))
    .join('');

/**
 * The end of each step of a piece, and before them the beginning of the first: one alone is something to see, too.
 * @param {readonly Sample[]} piece
 * @returns {(readonly [number, Sample])[]}
 */
const edgesOf = (piece) =>
  piece.flatMap((sample, index) => {
    const end = /** @type {const} */ ([sample.at, sample]);
    return index === 0 ? [/** @type {const} */ ([sample.at - sample.seconds, sample]), end] : [end];
  });

/**
 * Steps that follow each other and have a value.
 * @param {readonly Sample[]} samples
 * @param {(sample: Sample) => boolean} isKnown
 */
function piecesOf(samples, isKnown) {
  /** @type {Sample[][]} */
  const pieces = [];
  /** @type {Sample | null} */
  let before = null;
  for (const sample of samples) {
    const isNext = before !== null && sample.at - sample.seconds - before.at < SLACK_S;
    if (!isKnown(sample)) before = null;
    else {
      if (isNext) pieces.at(-1)?.push(sample);
      else pieces.push([sample]);
      before = sample;
    }
  }
  return pieces;
}
