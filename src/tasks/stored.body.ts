import { twoDecimals } from '../common/time.js';

const KIB = 1024;

/** What a record keeps of an answer, and what a list shows of it, unless more was asked for; contract §2. */
export const KEPT_BYTES = 10 * KIB;

/** The JSON text that is kept of an answer's: all of it up to `limit` bytes, above that a note. */
export function storedBody(text: string, limit: number = KEPT_BYTES): string {
  const bytes = Buffer.byteLength(text);
  return bytes <= limit ? text : truncationNote(bytes, limit);
}

/** What stands in place of a body that was too large to keep. */
export function truncationNote(bytes: number, limit: number): string {
  return JSON.stringify({
    _truncated: true,
    _original_size_kb: twoDecimals(bytes / KIB),
    _max_size_kb: twoDecimals(limit / KIB),
    _message: `Response body truncated: ${bytes} bytes are more than the ${limit} that are kept`,
  });
}
