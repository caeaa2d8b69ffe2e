/** A droplet's answer: the whole body was read, within the limit. */
export interface Answer {
  readonly kind: 'answered';
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/**
 * How one attempt ended. Apart from `answered`:
 * - `too-large`: the answer went over the limit and was cut off
 * - `address-refused`: the guard refused the address; no connection was opened
 * - `not-sent`: no byte of the request left (DNS, refused, connect timeout, TLS)
 * - `no-answer`: the request left, and no whole answer came (reset, closed, nonsense)
 * - `timed-out`: the attempt's or the task's time was over; `sent` tells whether the request had left
 * - `aborted`: we took the call back ourselves
 *
 * `isHeld`: its answer had begun and waited for our memory, so that there is no whole one says nothing of the droplet.
 */
export type Outcome =
  | Answer
  | { readonly kind: 'too-large'; readonly status: number; readonly message: string }
  | { readonly kind: 'address-refused'; readonly message: string }
  | { readonly kind: 'not-sent'; readonly message: string }
  | { readonly kind: 'no-answer'; readonly isHeld?: true; readonly message: string }
  | { readonly kind: 'timed-out'; readonly sent: boolean; readonly isHeld?: true; readonly message: string }
  | { readonly kind: 'aborted'; readonly sent: boolean; readonly isHeld?: true; readonly message: string };

/** True for what ended while, or after, its answer waited for our memory. */
export const wasHeld = (outcome: Outcome): boolean => 'isHeld' in outcome;

/** True for a 2xx answer. */
export const isSuccess = (outcome: Outcome): boolean =>
  outcome.kind === 'answered' && outcome.status >= 200 && outcome.status < 300;

/** True when the droplet gave some answer, whatever it said: it can be reached. */
export const isAnswer = (outcome: Outcome): boolean =>
  outcome.kind === 'answered' || outcome.kind === 'too-large' || wasHeld(outcome);
