import type { CallResult } from './circuit.breaker.js';
import { wasHeld, type Outcome } from './outcome.js';

/** What an outcome means for the question whether to call again, and whether the request may have taken effect. */
export type FailureClass =
  | 'success'
  | 'rejected'
  | 'server-error'
  | 'permanent-server-error'
  | 'too-large'
  | 'address-refused'
  | 'not-sent'
  | 'no-answer'
  | 'aborted'
  | 'aborted-unsent';

/** Who may be called again: any method, only one that is safe to repeat, or none. */
type Retry = 'any-method' | 'repeatable' | 'never';

interface Rule {
  readonly retry: Retry;
  readonly effect: 'none' | 'unknown';
  readonly reason: string;
}

/** The table of contract §6. */
export const RULES: Readonly<Record<FailureClass, Rule>> = {
  success: { retry: 'never', effect: 'none', reason: 'there is nothing left to do' },
  rejected: { retry: 'never', effect: 'none', reason: 'a 3xx or 4xx is an answer: the same request gets the same one' },
  'server-error': { retry: 'repeatable', effect: 'unknown', reason: 'a 5xx may pass, but the work may have been done' },
  'permanent-server-error': {
    retry: 'never',
    effect: 'none',
    reason: '501 and 505 do not pass: the droplet cannot do it at all',
  },
  'too-large': { retry: 'never', effect: 'unknown', reason: 'the next answer would be as large' },
  'address-refused': { retry: 'never', effect: 'none', reason: 'the address is refused, not the moment' },
  'not-sent': { retry: 'any-method', effect: 'none', reason: 'no byte left, so repeating cannot do it twice' },
  'no-answer': { retry: 'repeatable', effect: 'unknown', reason: 'the droplet may have done it before it went silent' },
  aborted: { retry: 'never', effect: 'unknown', reason: 'we took it back ourselves' },
  'aborted-unsent': { retry: 'never', effect: 'none', reason: 'we took it back before it left' },
};

export function classify(outcome: Outcome): FailureClass {
  switch (outcome.kind) {
    case 'answered':
      return classifyStatus(outcome.status);
    case 'timed-out':
      return outcome.sent ? 'no-answer' : 'not-sent';
    case 'too-large':
    case 'address-refused':
    case 'not-sent':
    case 'no-answer':
      return outcome.kind;
    case 'aborted':
      return outcome.sent ? 'aborted' : 'aborted-unsent';
  }
}

function classifyStatus(status: number): FailureClass {
  if (status < 300) return 'success';
  if (status < 500) return 'rejected';
  return status === 501 || status === 505 ? 'permanent-server-error' : 'server-error';
}

/** Methods that HTTP calls idempotent (RFC 9110 §9.2.2): repeating them is allowed without being asked. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);

/** May a call be made again of which nobody knows whether it took effect? `retryUnsafe` speaks for POST and PATCH. */
export const isRepeatable = (method: string, retryUnsafe: boolean): boolean => retryUnsafe || IDEMPOTENT.has(method);

/** May the call be made again? `retryStatuses` speaks for answers that are no 5xx. */
export function isRetryable(
  outcome: Outcome,
  method: string,
  { retryUnsafe, retryStatuses }: { readonly retryUnsafe: boolean; readonly retryStatuses: readonly number[] },
): boolean {
  const isNamed = outcome.kind === 'answered' && retryStatuses.includes(outcome.status);
  const { retry } = RULES[isNamed ? 'server-error' : classify(outcome)];
  return retry === 'any-method' || (retry === 'repeatable' && isRepeatable(method, retryUnsafe));
}

/** True for what deserved another attempt, whether or not the method, the plan or the moment allowed one. */
export function isFailedAttempt(outcome: Outcome, retryStatuses: readonly number[]): boolean {
  if (outcome.kind === 'answered' && retryStatuses.includes(outcome.status)) return true;
  // v1.1.0 counted so: an answer below 500 never was a failed attempt, also when it is an error.
  const failure = classify(outcome);
  return failure !== 'success' && failure !== 'rejected';
}

/** What an outcome says of the droplet's health; an attempt that the task's deadline or our memory cut short says nothing. */
export function callResultOf(outcome: Outcome, isCutShort: boolean): CallResult {
  if (wasHeld(outcome)) return 'neutral';
  switch (outcome.kind) {
    case 'answered':
      return outcome.status >= 500 ? 'failure' : 'success';
    case 'too-large':
      return 'success';
    case 'not-sent':
    case 'no-answer':
      return 'failure';
    case 'timed-out':
      return isCutShort ? 'neutral' : 'failure';
    case 'address-refused':
    case 'aborted':
      return 'neutral';
  }
}

/** Whether the request may have taken effect although it failed: it may have if any one attempt may have. */
export function effectOf(outcomes: readonly Outcome[]): 'none' | 'unknown' {
  return outcomes.some((outcome) => RULES[classify(outcome)].effect === 'unknown') ? 'unknown' : 'none';
}
