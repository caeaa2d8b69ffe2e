/** @typedef {import('./api.types.d.ts').Sample} Sample */

const HOUR_S = 3600;
/** How much of the hour is shown, minutes: as much as there is. */
const SPANS = [5, 10, 15, 30, 60];
/** What "now" is made of, besides the step that is under way. */
const RECENT_S = 60;

/**
 * @param {Sample} sample
 * @param {number} value
 */
export const perMinute = ({ seconds }, value) => (seconds > 0 ? (value / seconds) * 60 : 0);

/**
 * The samples of the last hour, of those that were there and those that have come. A server that has begun anew has no
 * older ones; what was seen of the one before stays.
 * @param {readonly Sample[]} known
 * @param {readonly Sample[]} come
 */
export function mergedSamples(known, come) {
  const last = known.at(-1)?.at ?? 0;
  const all = [...known, ...come.filter(({ at }) => at > last)];
  const end = all.at(-1)?.at ?? 0;
  return all.filter(({ at }) => at > end - HOUR_S);
}

/**
 * How many minutes a plot must show to show all; a server that has just started has little.
 * @param {readonly Sample[]} samples
 */
export function spanMinutes(samples) {
  const [first] = samples;
  const minutes = first ? ((samples.at(-1)?.at ?? 0) - first.at + first.seconds) / 60 : 0;
  return SPANS.find((span) => span >= minutes) ?? 60;
}

/**
 * How it goes now: the last minute and the step that is under way.
 * @param {readonly Sample[]} samples
 * @param {Sample} current
 */
export function recent(samples, current) {
  const last = [...samples.filter(({ at }) => at > current.at - RECENT_S), current];
  const sum = (/** @type {(sample: Sample) => number} */ pick) => last.reduce((total, sample) => total + pick(sample), 0);
  const seconds = sum((sample) => sample.seconds);
  const success = sum((sample) => sample.success);
  const failed = sum(({ error, timeout }) => error + timeout);
  const slowest = last.map(({ p95_ms }) => p95_ms).filter((ms) => ms !== null);
  return {
    perMinute: seconds > 0 ? ((success + failed) / seconds) * 60 : 0,
    successPercent: success + failed === 0 ? null : (success / (success + failed)) * 100,
    retries: sum(({ retries }) => retries),
    p95Ms: slowest.length === 0 ? null : Math.max(...slowest),
  };
}
