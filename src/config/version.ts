import { readFileSync, statSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };

/** The version that package.json states. */
export const VERSION = manifest.version;

/** When this code was built, ISO 8601: the time of the compiled file. */
export const BUILD_DATE = statSync(new URL(import.meta.url)).mtime.toISOString();
