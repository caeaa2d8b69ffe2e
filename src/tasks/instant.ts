import { Follows, type Rule } from '../inbound/follows.js';

const SECONDS = /^\d{1,12}(\.\d+)?$/;
const ISO = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/;
/** A time without a zone is UTC, as every time of the contract is; JavaScript would take the machine's. */
const WITHOUT_ZONE = /T[\d:.]+$/;

/** Epoch milliseconds of epoch seconds or an ISO 8601 time; null for anything else. */
export function instantMs(value: unknown): number | null {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string') return null;
  // Rounded to the microsecond: 1764000000.123 * 1000 must not fall short of …123.
  if (SECONDS.test(text)) return Math.round(Number(text) * 1e6) / 1e3;
  return isoMs(text);
}

/** Epoch milliseconds of an ISO 8601 time; null for anything else. */
export function isoMs(value: unknown): number | null {
  if (typeof value !== 'string' || !ISO.test(value)) return null;
  const ms = Date.parse(WITHOUT_ZONE.test(value) ? `${value}Z` : value);
  return Number.isNaN(ms) || !isInCalendar(value.slice(0, 10)) ? null : ms;
}

/** JavaScript takes 30 February for 2 March. */
const isInCalendar = (date: string): boolean => new Date(date).toISOString().startsWith(date);

const instantRule: Rule = (value) => (instantMs(value) === null ? 'must be epoch seconds or an ISO 8601 time' : null);

const isoRule: Rule = (value) => (isoMs(value) === null ? 'must be an ISO 8601 time' : null);

/** Epoch seconds or an ISO 8601 time. */
export const IsInstant = (): PropertyDecorator => Follows(instantRule);

/** An ISO 8601 time. */
export const IsIsoTime = (): PropertyDecorator => Follows(isoRule);
