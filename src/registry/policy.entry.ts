import { isJsonObject } from '../common/json.js';
import type { BreakerPolicy, DropletPolicy } from '../outbound/droplet.policy.js';
import { headersFault } from '../outbound/header.rules.js';

/** What a policy says; the rest stays as it is. */
export type PolicyEntry = Partial<Omit<DropletPolicy, 'breaker'>> & { readonly breaker?: Partial<BreakerPolicy> };

type Parsed = { readonly entry: PolicyEntry } | { readonly fault: string };

interface Bounds {
  readonly min: number;
  readonly max: number;
}

type WholeNumber = 'timeoutMs' | 'attemptTimeoutMs' | 'maxAttempts' | 'maxInFlight' | 'maxWaiting';

/** Names as they are written, what they are here, and their bounds; contract §2 and §7. */
const NUMBERS: Readonly<Record<string, readonly [WholeNumber, Bounds]>> = {
  timeout_ms: ['timeoutMs', { min: 100, max: 604_800_000 }],
  attempt_timeout_ms: ['attemptTimeoutMs', { min: 100, max: 120_000 }],
  max_attempts: ['maxAttempts', { min: 1, max: 50 }],
  max_in_flight: ['maxInFlight', { min: 1, max: 100_000 }],
  max_waiting: ['maxWaiting', { min: 0, max: 1_000_000 }],
};
const BREAKER: Readonly<Record<string, readonly [keyof BreakerPolicy, Bounds]>> = {
  window_ms: ['windowMs', { min: 100, max: 3_600_000 }],
  min_calls: ['minCalls', { min: 1, max: 1_000_000 }],
  failure_percent: ['failurePercent', { min: 1, max: 100 }],
  open_ms: ['openMs', { min: 100, max: 3_600_000 }],
};
const RATE: Bounds = { min: 0.001, max: 1_000_000 };

/** Reads one policy; a field that is wrong makes all of it wrong, and unknown ones are ignored. */
export function parsePolicy(value: unknown): Parsed {
  if (!isJsonObject(value)) return { fault: 'must be an object' };
  try {
    return {
      entry: {
        ...numbers(value, NUMBERS),
        ...(isAbsent(value.rate_per_second) ? {} : { ratePerSecond: rate(value.rate_per_second) }),
        ...(isAbsent(value.retry_statuses) ? {} : { retryStatuses: statuses(value.retry_statuses) }),
        ...(isAbsent(value.breaker) ? {} : { breaker: breaker(value.breaker) }),
        ...(isAbsent(value.headers) ? {} : { headers: headers(value.headers) }),
      },
    };
  } catch (error) {
    if (error instanceof PolicyFault) return { fault: error.message };
    throw error;
  }
}

class PolicyFault extends Error {}

/** An optional field may be there as null; contract §1. */
const isAbsent = (value: unknown): boolean => value === undefined || value === null;

function numbers<K extends string>(
  value: Readonly<Record<string, unknown>>,
  table: Readonly<Record<string, readonly [K, Bounds]>>,
): Partial<Record<K, number>> {
  const given = Object.entries(table).filter(([written]) => !isAbsent(value[written]));
  return Object.fromEntries(
    given.map(([written, [name, bounds]]) => [name, wholeNumber(written, value[written], bounds)]),
  ) as Partial<Record<K, number>>;
}

function wholeNumber(name: string, value: unknown, { min, max }: Bounds): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new PolicyFault(`${name} must be a whole number from ${min} to ${max}`);
}

function rate(value: unknown): number {
  if (typeof value === 'number' && value >= RATE.min && value <= RATE.max) return value;
  throw new PolicyFault(`rate_per_second must be a number from ${RATE.min} to ${RATE.max}`);
}

function statuses(value: unknown): number[] {
  const isStatus = (status: unknown): status is number =>
    Number.isInteger(status) && Number(status) >= 400 && Number(status) <= 599;
  if (Array.isArray(value) && value.every(isStatus)) return value;
  throw new PolicyFault('retry_statuses must be a list of statuses from 400 to 599');
}

function breaker(value: unknown): Partial<BreakerPolicy> {
  if (!isJsonObject(value)) throw new PolicyFault('breaker must be an object');
  return numbers(value, BREAKER);
}

function headers(value: unknown): Record<string, string> {
  const fault = headersFault(value);
  if (fault) throw new PolicyFault(`headers ${fault}`);
  return Object.fromEntries(Object.entries(value as Record<string, string>).map(([name, text]) => [name.toLowerCase(), text]));
}
