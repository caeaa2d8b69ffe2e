/** A piece of a JSON text: a string, a sign, or what else there is; white space is none. */
interface Piece {
  readonly at: number;
  readonly text: string;
}

const BLANK = /\s/;
const SIGN = /[{}[\],:]/;
/** Where what is neither string nor sign ends. */
const END = /[\s{}[\],:"]/g;

/** What is nested deeper is not moved further to the right: a small body could be made to fill the memory. */
const DEEPEST_INDENT = 16;
/** What is longer, nobody reads: it is left as it is. */
const LONGEST_INDENTED = 4 * 2 ** 20;

/** The pieces one by one, by hand: a pattern for strings has a place on its stack for each character, which overflows at megabytes. */
function* piecesOf(text: string): Generator<Piece> {
  for (let at = 0; at < text.length;) {
    const first = text.charAt(at);
    if (BLANK.test(first)) {
      at++;
      continue;
    }
    const end = SIGN.test(first) ? at + 1 : first === '"' ? endOfString(text, at) : endOfWord(text, at);
    yield { at, text: text.slice(at, end) };
    at = end;
  }
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function endOfWord(text: string, start: number): number {
  END.lastIndex = start;
  return END.exec(text)?.index ?? text.length;
}

/** A JSON text with two spaces a level, each number as it was written. */
export function indented(text: string): string {
  if (text.length > LONGEST_INDENTED) return text;
  const lines: string[] = [];
  let line = '';
  let depth = 0;
  let before = '';
  for (const { text: piece } of piecesOf(text)) {
    const isClosing = piece === '}' || piece === ']';
    const isFirst = before === '{' || before === '[';
    if (isClosing) depth--;
    if (isClosing ? !isFirst : isFirst || before === ',') {
      lines.push(line);
      line = '  '.repeat(Math.min(depth, DEEPEST_INDENT));
    }
    line += piece === ':' ? ': ' : piece;
    if (piece === '{' || piece === '[') depth++;
    before = piece;
  }
  return [...lines, line].join('\n');
}

/** The text of one member of a JSON object; undefined when there is none. The text must be good JSON. */
export function memberText(text: string, name: string): string | undefined {
  const wanted = JSON.stringify(name);
  let depth = 0;
  let start: number | undefined;
  let before = '';
  for (const { at, text: piece } of piecesOf(text)) {
    const isOver = depth === 1 && (piece === ',' || piece === '}');
    if (isOver && start !== undefined) return text.slice(start, at).trim();
    if (piece === '{' || piece === '[') depth++;
    if (piece === '}' || piece === ']') depth--;
    if (depth === 1 && piece === ':' && before === wanted) start ??= at + 1;
    before = piece;
  }
  return undefined;
}
