/** RFC 9110 §5.6.7 dates begin with a weekday; `Date.parse` alone would also take "-1" for a year. */
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/;

/** Milliseconds that a `Retry-After` header asks to wait (RFC 9110 §10.2.3); 0 when absent, past or not understood. */
export function retryAfterMs(header: string | readonly string[] | undefined, now: number): number {
  const value = (typeof header === 'string' ? header : header?.[0])?.trim() ?? '';
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  if (!HTTP_DATE.test(value)) return 0;
  const date = Date.parse(value);
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}
