import { twoDecimals } from '../common/time.js';

const KEPT_KIB = 10;
const KIB = 1024;

/** The JSON text that the record keeps of an answer's: all of it up to 10 KiB, above that a note; contract §2. */
export function storedBody(text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes <= KEPT_KIB * KIB) return text;
  return JSON.stringify({
    _truncated: true,
    _original_size_kb: twoDecimals(bytes / KIB),
    _max_size_kb: KEPT_KIB,
    _message: `Response body truncated: ${bytes} bytes are more than the ${KEPT_KIB} KiB that are kept`,
  });
}
