import { readFileSync, writeFileSync } from 'node:fs';
import { createLog } from './common/log.js';
import { buildDocument } from './openapi/document.js';
import { problemsOf } from './openapi/lint.js';

const FILE = new URL('../openapi.json', import.meta.url).pathname;

/** Writes openapi.json from the code; with `check`, says whether it is what the code says, and whether the linter likes it. */
async function main(command: string | undefined): Promise<void> {
  const text = `${JSON.stringify(await buildDocument(), null, 2)}
`;
  if (command !== 'check') return writeFileSync(FILE, text);
  if (readFileSync(FILE, 'utf8') !== text) throw new Error('openapi.json is not what the code says: run npm run openapi');
  const problems = await problemsOf(FILE);
  if (problems.length > 0) throw new Error(`openapi.json does not pass the linter:\n${problems.join('\n')}`);
}

main(process.argv[2]).catch((error: unknown) => {
  createLog('fatal').fatal({}, error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
