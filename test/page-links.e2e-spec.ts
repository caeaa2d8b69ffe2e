import { describe, expect, it } from '@jest/globals';
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { allPages, anchorsOf, codeOf, linksOf, readPage, type Page } from './support/pages.js';
import { ROOT } from './support/process.js';

const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
const specs = globSync('{src,test}/**/*-spec.ts', { cwd: ROOT }).concat(globSync('src/**/*.spec.ts', { cwd: ROOT }));
const pages = allPages();
const isOutside = (link: string): boolean => /^https?:\/\//.test(link);

/** Where a link leads to, from the checkout; the page itself when it is only an anchor. */
function targetOf({ name }: Page, link: string): { file: string; anchor: string } {
  const [file = '', anchor = ''] = link.split('#');
  return { file: file === '' ? name : path.join(path.dirname(name), file), anchor };
}

function isBroken(page: Page, link: string): boolean {
  const { file, anchor } = targetOf(page, link);
  if (file.startsWith('..') || !existsSync(path.join(ROOT, file))) return true;
  return anchor !== '' && !anchorsOf(readPage(file)).includes(anchor);
}

/** The script, the spec or the file that a piece of code names and that there is not. */
function missingIn(code: string): string[] {
  const files = [...code.matchAll(/(?:^|\s)((?:src|test|docs|deploy|demo)\/[\w./-]+\.\w+)/g)].map(([, file = '']) => file);
  const named = [...code.matchAll(/npm run ([\w:]+)/g)].map(([, script = '']) => script);
  const [, wanted = ''] = /^npm run jest -- ([\w./ -]+?)(?: -t |$)/.exec(code) ?? [];
  const patterns = wanted.split(' ').filter((pattern) => pattern !== '');
  return [
    ...files.filter((file) => !existsSync(path.join(ROOT, file))),
    ...named.filter((script) => scripts[script] === undefined),
    ...patterns.filter((pattern) => !specs.some((spec) => new RegExp(pattern).test(spec))),
  ];
}

describe('the pages', () => {
  it.each(pages.map((page) => [page.name, page] as const))('%s links only to what there is', (_name, page) => {
    const inside = linksOf(page).filter((link) => !isOutside(link));
    expect(inside.filter((link) => isBroken(page, link))).toEqual([]);
  });

  it.each(pages.map((page) => [page.name, page] as const))(
    '%s names only scripts, specs and files that there are',
    (_name, page) => {
      expect([...codeOf(page), ...page.blocks.map(({ text }) => text)].flatMap(missingIn)).toEqual([]);
    },
  );

  it('are all reached from docs/README.md, and that from README.md', () => {
    const reached = (page: Page): string[] => linksOf(page).map((link) => targetOf(page, link).file);
    const index = readPage('docs/README.md');
    expect(reached(readPage('README.md'))).toContain(index.name);
    const unreached = pages.filter(
      ({ name }) => name.startsWith('docs/') && name !== index.name && !reached(index).includes(name),
    );
    expect(unreached.map(({ name }) => name)).toEqual([]);
  });
});
