/** JSON that is sent as it is written, with the numbers that JavaScript cannot keep: as a `payload`, a task of a batch, or any other value. */
export class JsonText {
  /** @throws SyntaxError when it is no JSON */
  constructor(readonly text: string) {
    JSON.parse(text);
  }
}

/** Like `JSON.stringify`, but for the texts in it. */
export function jsonText(value: unknown): string {
  if (value instanceof JsonText) return value.text;
  if (Array.isArray(value)) return `[${value.map((item) => jsonText(item ?? null)).join(',')}]`;
  if (!isPlain(value)) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, member]) => isSent(member));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${jsonText(member)}`).join(',')}}`;
}

const isSent = (member: unknown): boolean => member !== undefined && typeof member !== 'function' && typeof member !== 'symbol';

/** An object that does not say itself how it is written, as a Date does. */
const isPlain = (value: unknown): value is object => typeof value === 'object' && value !== null && !('toJSON' in value);
