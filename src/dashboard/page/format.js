/** What stands where there is no figure. */
export const NONE = '–';

const counts = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** @param {number | null} value */
export const count = (value) =>
  value === null ? NONE : value < 10_000 ? counts.format(value < 100 ? value : Math.round(value)) : compact.format(value);

/** @param {number | null} value */
export const percent = (value) =>
  value === null ? NONE : `${value >= 99.95 || value < 10 ? counts.format(value) : value.toFixed(1)}%`;

/**
 * A duration in the largest unit that says something: 12 ms, 1.24 s, 2 m 5 s, 3 h 12 m.
 * @param {number | null} ms
 */
export function duration(ms) {
  if (ms === null) return NONE;
  if (ms < 10) return `${counts.format(ms)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} m` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const times = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const moments = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

/**
 * The time of day, in the reader's zone.
 * @param {number} seconds epoch seconds
 */
export const timeOfDay = (seconds) => times.format(seconds * 1000);

/**
 * Day and time, in the reader's zone.
 * @param {number} seconds epoch seconds
 */
export const moment = (seconds) => moments.format(seconds * 1000);

/**
 * A name in the plural, but for one.
 * @param {number} many
 * @param {string} one
 */
export const plural = (many, one) => `${count(many)} ${one}${many === 1 ? '' : 's'}`;
