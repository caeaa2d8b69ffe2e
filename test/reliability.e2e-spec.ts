import { describe, expect, it } from '@jest/globals';
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './support/process.js';

const page = readFileSync(path.join(ROOT, 'docs/reliability.md'), 'utf8');
const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

/** How many faults each group of the list has. */
const GROUPS = {
  ...{ Droplets: 18, Retry: 9, Registry: 11, Input: 10, Security: 11, Durability: 9, Replicas: 7 },
  'Shutdown and time': 7,
};
/** What jest finds by itself, and what the scripts make it find. */
const KINDS: Record<string, string> = {
  jest: '{spec,e2e-spec}',
  smoke: 'smoke-spec',
  'test:soak': 'soak-spec',
  fuzz: 'fuzz-spec',
};

const quoted = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, inside = '']) => inside);
const commands = [...new Set(quoted(page).filter((text) => /^(npm|npx|node) /.test(text)))];
const namedFiles = quoted(page).filter((text) => /^(src|test|docs)\/\S+\.\w+$/.test(text));

/** The rows of all tables below a heading, without their heads. */
function rowsBelow(heading: string): string[][] {
  const section = page.split(`${heading}\n`)[1]?.split(/^##/m)[0] ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  const cells = (line: string): string[] => line.split('|').map((cell) => cell.trim());
  return lines.slice(2).map((line) => cells(line).slice(1, -1));
}

/** What is wrong with a command of the page; null when it can be run. */
function faultOf(command: string): string | null {
  const [program = '', ...words] = command.split(' ');
  if (program === 'node') return existsSync(path.join(ROOT, words[0] ?? '')) ? null : 'no such file';
  const script = words[0] === 'run' ? (words[1] ?? '') : (words[0] ?? '');
  if (!(script in scripts)) return 'no such script';
  const separator = words.indexOf('--');
  const patterns = separator < 0 ? [] : words.slice(separator + 1);
  const files = globSync(`{src,test}/**/*.${KINDS[script] ?? ''}.ts`, { cwd: ROOT });
  return patterns.every((pattern) => files.some((file) => new RegExp(pattern).test(file))) ? null : 'no test matches';
}

describe('docs/reliability.md', () => {
  it.each(Object.entries(GROUPS))('has every fault of %s, each with a test or the reason why not', (group, count) => {
    const rows = rowsBelow(`### ${group}`);
    expect(rows).toHaveLength(count);
    expect(rows.filter(([fault, test = '']) => !fault || !/^(`\S+spec\.ts`|no test: \S)/.test(test))).toEqual([]);
  });

  it('names only files that there are', () => {
    expect(namedFiles.length).toBeGreaterThan(50);
    expect(namedFiles.filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([]);
  });

  it('has a figure for each thing that was measured, with the command that prints it', () => {
    const rows = rowsBelow('## Figures').filter(([what = '']) => !what.startsWith('**'));
    expect(rows.length).toBeGreaterThan(20);
    const isWhole = ([, figure = '', command = '']: string[]): boolean => /^`(npm|node) /.test(command) && figure !== '';
    expect(rows.filter((row) => !isWhole(row) && row[1] !== 'see traffic')).toEqual([]);
  });

  it.each(commands)('shows a command that can be given: %s', (command) => {
    expect(faultOf(command)).toBeNull();
  });

  it.each(['npm run nonsense', 'npm run jest -- no-such-test', 'npm run smoke -- crash.e2e', 'node test/no-such-file.mjs'])(
    'would notice one that cannot: %s',
    (command) => {
      expect(faultOf(command)).not.toBeNull();
    },
  );
});
