import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';

/** The process' environment over the `.env` of the working directory; an empty value counts as unset. */
export function readEnvironment(): Record<string, string | undefined> {
  const given = Object.entries(process.env).filter(([, value]) => value?.trim());
  return { ...readEnvFile(path.resolve('.env')), ...Object.fromEntries(given) };
}

function readEnvFile(file: string): NodeJS.Dict<string> {
  return existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
}
