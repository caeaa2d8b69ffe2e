/** The three forms of RFC 9110 §5.6.7. `Date.parse` alone would also take "-1" or "Sun 2099" for a date. */
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .*\d\d:\d\d:\d\d/;

/** Milliseconds that a `Retry-After` header asks to wait (RFC 9110 §10.2.3); 0 when absent, past or not understood. */
export function retryAfterMs(header: string | readonly string[] | undefined, now: number): number {
  const value = (typeof header === 'string' ? header : header?.[0])?.trim() ?? '';
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  if (!HTTP_DATE.test(value)) return 0;
  // The asctime form names no zone: it is GMT like the others, never local time.
  const date = Date.parse(value.endsWith('GMT') ? value : `${value} GMT`);
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}
