import { readFileSync, writeFileSync } from 'node:fs';
import { createLog } from './common/log.js';
import { clientTypes } from './openapi/client.types.js';
import { buildDocument } from './openapi/document.js';
import { problemsOf } from './openapi/lint.js';

const FILE = new URL('../openapi.json', import.meta.url).pathname;
const TYPES_FILE = new URL('../src/client/api.types.ts', import.meta.url).pathname;

/** Writes openapi.json, and the client's types from it; with `check`, says whether they are what the code says, and whether the linter likes it. */
async function main(command: string | undefined): Promise<void> {
  const document = await buildDocument();
  const { schemas } = document.components as { schemas: Parameters<typeof clientTypes>[0] };
  const texts = new Map([
    [FILE, `${JSON.stringify(document, null, 2)}\n`],
    [TYPES_FILE, await clientTypes(schemas, TYPES_FILE)],
  ]);
  if (command !== 'check') return texts.forEach((text, file) => writeFileSync(file, text));
  for (const [file, text] of texts) {
    if (readFileSync(file, 'utf8') !== text) throw new Error(`${file} is not what the code says: run npm run openapi`);
  }
  const problems = await problemsOf(FILE);
  if (problems.length > 0) throw new Error(`openapi.json does not pass the linter:\n${problems.join('\n')}`);
}

main(process.argv[2]).catch((error: unknown) => {
  createLog('fatal').fatal({}, error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
