import { constants } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { addAbortSignal } from 'node:stream';
import { JsonText } from '../client/entry.js';
import type { Terminal } from './terminal.js';
import { UsageError } from './usage.error.js';

/** Where input comes from, and what ends it. */
type Input = Pick<Terminal, 'stdin' | 'interrupted'>;

/** A payload as it is given: JSON, `@file`, or `-` for stdin. @throws UsageError */
export async function readPayload(given: string, input: Input): Promise<JsonText> {
  const text = /^@|^-$/.test(given) ? await readSource(given.replace(/^@/, ''), input) : given;
  try {
    return new JsonText(text.trim());
  } catch (error) {
    throw new UsageError(`--data is no JSON: ${(error as SyntaxError).message}; a text needs its quotes: --data '"text"'`);
  }
}

/** The text of a file, or of stdin for `-`. @throws UsageError for what cannot be read */
export async function readSource(name: string, { stdin, interrupted }: Input): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of addAbortSignal(interrupted, name === '-' ? stdin : createReadStream(name))) {
      const part = Buffer.from(chunk as Buffer);
      chunks.push(part);
      bytes += part.length;
      if (bytes > constants.MAX_STRING_LENGTH) throw new Error('it is over 512 MiB: split it');
    }
  } catch (error) {
    throw new UsageError(`'${name}' cannot be read: ${(error as Error).message}`);
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/^\uFEFF/, '');
}
