import { readFile } from 'node:fs/promises';

/** The JSON value in a file, also in one that was written on Windows. @throws Error with the reason, which shows nothing of the file */
export async function readJsonFile(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8');
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    throw new Error('it is not JSON');
  }
}
