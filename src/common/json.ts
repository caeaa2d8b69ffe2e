declare global {
  interface JSON {
    /** The proposal that Node 24 ships (tc39/proposal-json-parse-with-source); TypeScript 6 does not know it yet. */
    parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
    rawJSON(text: string): unknown;
    isRawJSON(value: unknown): boolean;
  }
}

/** How deep and how large a JSON value that a caller sends may be; contract §1. */
const MAX_DEPTH = 64;
const MAX_KEYS = 10_000;

/** A number that may not print as it was written: a fraction, an exponent, a minus zero, 16 digits or more. */
const UNUSUAL_NUMBER = /\d[.eE]|-0|\d{16}/;

/** True for a JSON text that may hold a number which does not print as it was written. */
export const hasUnusualNumber = (text: string): boolean => UNUSUAL_NUMBER.test(text);

/**
 * Parses JSON so that printing the value again gives every number as it was written, also those that JavaScript
 * cannot keep (2^53 + 1, 1e400, 1.0): such a number becomes a `JSON.rawJSON`. Costs ten times a plain parse.
 * @throws SyntaxError
 */
export const parseExact = (text: string): unknown => JSON.parse(text, keepNumber);

function keepNumber(_key: string, value: unknown, { source }: { source?: string }): unknown {
  return typeof value === 'number' && source !== undefined && String(value) !== source ? JSON.rawJSON(source) : value;
}

/**
 * Why a parsed JSON value is refused, or null: too deep, too many keys, or a key that reaches for a prototype.
 * Walks without recursion, so that 100,000 levels cannot overflow the stack.
 */
export function structureFault(value: unknown): string | null {
  const open: { node: unknown; depth: number }[] = [{ node: value, depth: 1 }];
  let keys = 0;
  for (let next = open.pop(); next; next = open.pop()) {
    const { node, depth } = next;
    if (typeof node !== 'object' || node === null) continue;
    if (depth > MAX_DEPTH) return `is nested over ${MAX_DEPTH} levels`;
    if (!Array.isArray(node)) {
      const names = Object.keys(node);
      keys += names.length;
      if (keys > MAX_KEYS) return `has over ${MAX_KEYS} keys`;
      if (reachesPrototype(node, names)) return 'has a key that is not allowed';
    }
    for (const child of Object.values(node)) {
      if (typeof child === 'object' && child !== null) open.push({ node: child, depth: depth + 1 });
    }
  }
  return null;
}

function reachesPrototype(node: object, names: readonly string[]): boolean {
  if (names.includes('__proto__')) return true;
  if (!names.includes('constructor')) return false;
  const inner: unknown = Object.getOwnPropertyDescriptor(node, 'constructor')?.value;
  return typeof inner === 'object' && inner !== null && Object.hasOwn(inner, 'prototype');
}

/**
 * The JSON text of an object some of whose members are JSON texts already; those go in as they are, uninspected.
 * @param raw a JSON text by member name
 */
export function stringifyWith(members: object, raw: Readonly<Record<string, string>>): string {
  let printed = JSON.stringify(members).slice(0, -1);
  for (const name of Object.keys(raw)) {
    printed += `${printed === '{' ? '' : ','}${JSON.stringify(name)}:${raw[name]}`;
  }
  return `${printed}}`;
}

/** A JSON object whose members nobody has looked at. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A number that `parseExact` has kept is an object for JavaScript, but none of JSON's. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);
