import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { JsonText } from '../client/entry.js';
import { UsageError } from './usage.error.js';

/** A payload as it is given: JSON, `@file`, or `-` for stdin. @throws UsageError */
export async function readPayload(given: string, stdin: Readable): Promise<JsonText> {
  const text = /^@|^-$/.test(given) ? await readSource(given.replace(/^@/, ''), stdin) : given;
  try {
    return new JsonText(text.trim());
  } catch (error) {
    throw new UsageError(`--data is no JSON: ${(error as SyntaxError).message}; a text needs its quotes: --data '"text"'`);
  }
}

/** The text of a file, or of stdin for `-`. @throws UsageError for what cannot be read */
export async function readSource(name: string, stdin: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of name === '-' ? stdin : createReadStream(name)) chunks.push(Buffer.from(chunk as Buffer));
  } catch (error) {
    throw new UsageError(`'${name}' cannot be read: ${(error as Error).message}`);
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/^\uFEFF/, '');
}
