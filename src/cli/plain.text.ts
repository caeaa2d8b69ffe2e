/** C0, DEL, C1, line and paragraph separators, and what turns the direction of text: none may reach a terminal from outside. */
const UNSAFE = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** A text from outside on one line, without anything that a terminal would obey. */
export const plain = (text: unknown): string => String(text).replace(/\s+/g, ' ').replace(UNSAFE, '\uFFFD');

/** The same for a text of several lines. */
export const plainLines = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.replace(UNSAFE, '\uFFFD'))
    .join('\n');
