import { describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './support/process.js';

const LINES = { "The seed's list": 51, 'The original suite': 63 };

/** A test's source with its escapes taken away: `it\'s` is `it's`. */
const sourceOf = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8').replaceAll('\\', '');

/** The rows of the table below a heading: group, line, test. */
function rowsOf(heading: string): string[][] {
  const page = readFileSync(path.join(ROOT, 'docs/seed-coverage.md'), 'utf8');
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe.each(Object.entries(LINES))('docs/seed-coverage.md, %s', (heading, count) => {
  const rows = rowsOf(heading);

  it('has every line, each with a test', () => {
    expect(rows).toHaveLength(count);
    expect(rows.filter(([, line, test]) => !line || !/^`[\w./-]+-?spec\.ts` › ./.test(test ?? ''))).toEqual([]);
  });

  it('names only tests that there are', () => {
    const missing = rows.filter(([, , test = '']) => {
      const [, file = '', title = ''] = /^`(.+?)` › (.*)$/.exec(test) ?? [];
      return !existsSync(path.join(ROOT, file)) || !sourceOf(file).includes(title);
    });
    expect(missing).toEqual([]);
  });
});
