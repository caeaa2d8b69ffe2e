/** The pieces of a JSON text: strings, signs, and what else there is; white space is none. */
const PIECES = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** A JSON text with two spaces a level, each number as it was written. */
export function indented(text: string): string {
  const pieces = text.match(PIECES) ?? [];
  let depth = 0;
  let lines = '';
  pieces.forEach((piece, index) => {
    const before = pieces[index - 1] ?? '';
    const isEmpty = '}]'.includes(piece) && '{['.includes(before) && before !== '';
    if ('}]'.includes(piece)) depth--;
    const isBroken = !isEmpty && ('}]'.includes(piece) || ['{', '[', ','].includes(before)) && index > 0;
    lines += (isBroken ? `\n${'  '.repeat(depth)}` : '') + piece + (piece === ':' ? ' ' : '');
    if ('{['.includes(piece)) depth++;
  });
  return lines;
}

/** The text of one member of a JSON object; undefined when there is none. The text must be good JSON. */
export function memberText(text: string, name: string): string | undefined {
  let depth = 0;
  let found: { readonly start: number; readonly depth: number } | undefined;
  const pieces = [...text.matchAll(PIECES)];
  for (const [index, { 0: piece, index: at }] of pieces.entries()) {
    const isEnd = found && depth === 1 && (piece === ',' || piece === '}');
    if (found && isEnd) return text.slice(found.start, at).trim();
    if ('{['.includes(piece)) depth++;
    if ('}]'.includes(piece)) depth--;
    const isName = depth === 1 && piece === JSON.stringify(name) && pieces[index + 1]?.[0] === ':';
    if (isName && !found) found = { start: (pieces[index + 1]?.index ?? 0) + 1, depth };
  }
  return undefined;
}
