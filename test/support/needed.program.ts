import { existsSync } from 'node:fs';
import path from 'node:path';

interface Need {
  /** The names that it goes by. */
  readonly names: readonly [string, ...string[]];
  /** What is not tested without it. */
  readonly untested: string;
  /** Where Debian has it. */
  readonly inPackage: string;
}

/** Where a program of the machine is, under the first of its names that is known; null when it is not there. */
export function findProgram(names: readonly string[]): string | null {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return folders.flatMap((folder) => names.map((name) => path.join(folder, name))).find((file) => existsSync(file)) ?? null;
}

/** Whether tests that need a program are run: where it is missing they are left out, loudly; on CI they are run, and fail. */
export function isRunWith({ names, untested, inPackage }: Need): boolean {
  if (findProgram(names) !== null) return true;
  process.stderr.write(`\n${names[0].toUpperCase()} IS NOT THERE: ${untested} (apt-get install ${inPackage})\n`);
  return Boolean(process.env.CI);
}
