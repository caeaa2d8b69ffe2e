import { InvalidRequestError } from '../common/errors.js';

const SECONDS = /^\d{1,12}(\.\d{1,9})?$/;

/** The `since` of `GET /metrics/history`: epoch seconds, all without it. @throws InvalidRequestError */
export function sinceOf(value: unknown = '0'): number {
  if (typeof value !== 'string' || !SECONDS.test(value)) throw InvalidRequestError.of('since', 'must be epoch seconds');
  return Number(value);
}
