/** Epoch seconds (float) of epoch milliseconds: how the contract writes `created_at` and its like. */
export const epochSeconds = (ms: number): number => ms / 1000;

/** ISO 8601 UTC of epoch milliseconds: how the contract writes `timestamp` and its like. */
export const iso = (ms: number): string => new Date(ms).toISOString();

/** A number to two decimals: how the contract writes rates and times. */
export const twoDecimals = (value: number): number => Math.round(value * 100) / 100;
