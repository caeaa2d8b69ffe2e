import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CHECKS } from './support/page.blocks.js';
import { PageReader } from './support/page.reader.js';
import { allPages, commandsOf } from './support/pages.js';
import { ROOT } from './support/process.js';
import { PAGES_RUN_ELSEWHERE, RUN_ELSEWHERE } from './support/run.elsewhere.js';

/** Short waits, so that a page is read faster than by people. */
const QUICK = { RETRY_BACKOFF_BASE_MS: '20', ASYNC_BACKOFF_BASE_MS: '20' };

const pages = allPages();
const commands = pages.flatMap(({ blocks }) => blocks.filter(({ language }) => language === 'sh').flatMap(commandsOf));
const shown = pages.filter(({ name, blocks }) => blocks.length > 0 && !Object.hasOwn(PAGES_RUN_ELSEWHERE, name));
const sourceOf = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

describe('the code on the pages', () => {
  it('is in fences that say what it is, so that it can be run', () => {
    expect(pages.filter(({ prose }) => /^(```|~~~)|^\n {4,}\S/m.test(prose)).map(({ name }) => name)).toEqual([]);
    const languages = shown.flatMap(({ name, blocks }) => blocks.map(({ language }) => `${name}: ${language}`));
    expect(languages.filter((each) => !Object.hasOwn(CHECKS, each.split(': ')[1] ?? ''))).toEqual([]);
  });

  it('is run where it is said to be run, when it is not run here', () => {
    expect(Object.keys(RUN_ELSEWHERE).filter((command) => !commands.includes(command))).toEqual([]);
    expect(Object.values(RUN_ELSEWHERE).filter(({ file, by }) => !sourceOf(file).includes(by))).toEqual([]);
    expect(Object.entries(PAGES_RUN_ELSEWHERE).filter(([page, file]) => !sourceOf(file).includes(page))).toEqual([]);
  });
});

describe.each(shown.map((page) => [page.name, page] as const))('%s', (_name, page) => {
  let reader: PageReader;

  beforeAll(async () => {
    reader = await PageReader.open(page, QUICK);
  }, 60_000);
  afterAll(() => reader.close());

  // In the order of the page: a later block may need an earlier one.
  it.each(page.blocks.map((block, index) => [index + 1, block.language, block.text.split('\n', 1)[0], block] as const))(
    'block %i (%s) is so: %s',
    async (number, language, _line, block) => {
      await CHECKS[language]?.(block, { page, index: number - 1, reader });
    },
    60_000,
  );
});
