import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';

/** The process' environment over the `.env` of the working directory; an empty value counts as unset. */
export function readEnvironment(): Record<string, string | undefined> {
  const given = Object.entries(process.env).filter(([, value]) => value?.trim());
  return { ...readEnvFile(path.resolve('.env')), ...Object.fromEntries(given) };
}

function readEnvFile(file: string): NodeJS.Dict<string> {
  // A byte order mark, as Windows editors write it, would become part of the first name.
  return existsSync(file) ? parseEnv(readFileSync(file, 'utf8').replace(/^\uFEFF/, '')) : {};
}
