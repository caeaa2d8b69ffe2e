/** What a `Prefer` header asks for (RFC 7240); preferences that we do not know, or that are malformed, are ignored. */
export interface Preference {
  /** A receipt now, the outcome later. */
  readonly isAsynchronous: boolean;
  /** How long to wait for the outcome before the receipt, milliseconds. */
  readonly waitMs: number;
  /** The value of `Preference-Applied`, or null when nothing was asked for. */
  readonly applied: string | null;
}

/** The longest wait that is granted. */
const LONGEST_WAIT_SECONDS = 60;

const NO_PREFERENCE: Preference = { isAsynchronous: false, waitMs: 0, applied: null };

export function readPrefer(header: string | undefined): Preference {
  if (header === undefined) return NO_PREFERENCE;
  const asked = header.split(',').map((preference) => preference.trim().toLowerCase());
  const wait = asked.map(waitSeconds).find((seconds) => seconds !== null) ?? null;
  const respondsAsync = asked.includes('respond-async');
  const applied = [...(respondsAsync ? ['respond-async'] : []), ...(wait === null ? [] : [`wait=${wait}`])];
  return {
    isAsynchronous: respondsAsync || wait !== null,
    waitMs: (wait ?? 0) * 1000,
    applied: applied.length === 0 ? null : applied.join(', '),
  };
}

function waitSeconds(preference: string): number | null {
  const [, digits] = /^wait\s*=\s*"?(\d{1,9})"?$/.exec(preference) ?? [];
  return digits === undefined ? null : Math.min(LONGEST_WAIT_SECONDS, Number(digits));
}
