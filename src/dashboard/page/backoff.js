const BASE_MS = 500;
const MAX_MS = 15_000;

/**
 * How long to wait before trying again: twice as long each time, spread so that not all come at once.
 * @param {number} failures in a row
 * @param {number} chance from 0 up to 1
 */
export const backoffMs = (failures, chance = Math.random()) =>
  Math.round(Math.min(MAX_MS, BASE_MS * 2 ** (failures - 1)) * (0.5 + chance / 2));
