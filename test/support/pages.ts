import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './process.js';

/** What stands between two fences. */
export interface Block {
  readonly language: string;
  /** What the fence says after the language: the name of the file that the text is, or nothing. */
  readonly file: string;
  readonly text: string;
}

/** A page of Markdown, by its path from the checkout. */
export interface Page {
  readonly name: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** The text without what is in fences. */
  readonly prose: string;
}

const FENCE = /^```([^\s`]*)[ \t]*(.*)\n([\s\S]*?)^```$/gm;
const CODE = /`[^`\n]+`/g;
/** `[text](to)`, `![alt](to "title")`, and what pictures are drawn from in HTML. */
const LINKS = [/\]\(([^)\s]+)(?: "[^"]*")?\)/g, /\b(?:src|srcset|href)="([^"]+)"/g];
const HEADING = /^#{1,6} +(.+?) *$/gm;

export function readPage(name: string): Page {
  const text = readFileSync(path.join(ROOT, name), 'utf8');
  const blocks = [...text.matchAll(FENCE)].map(([, language = '', file = '', content = '']) => ({
    ...{ language, file: file.trim(), text: content },
  }));
  return { name, text, blocks, prose: text.replaceAll(FENCE, '') };
}

/** Every page that is written for people. */
export const allPages = (): Page[] =>
  ['*.md', 'docs/**/*.md'].flatMap((glob) => globSync(glob, { cwd: ROOT }).sort()).map(readPage);

/** The commands of a block, one a line; a backslash at a line's end goes on with the next. */
export const commandsOf = ({ text }: Block): string[] =>
  text
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '');

/** What a page links to, as it is written. */
export function linksOf({ prose }: Page): string[] {
  const text = prose.replaceAll(CODE, '');
  return LINKS.flatMap((pattern) => [...text.matchAll(pattern)].map(([, to = '']) => to));
}

/** What a page has in code style. */
export const codeOf = ({ prose }: Page): string[] => (prose.match(CODE) ?? []).map((code) => code.slice(1, -1));

/** The anchors that GitHub gives to the headings of a page. */
export function anchorsOf({ prose }: Page): string[] {
  const seen = new Map<string, number>();
  return [...prose.matchAll(HEADING)].map(([, heading = '']) => {
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = words.replaceAll(/[^\p{L}\p{N}\-_ ]/gu, '').replaceAll(' ', '-');
    const times = seen.get(anchor) ?? 0;
    seen.set(anchor, times + 1);
    return times === 0 ? anchor : `${anchor}-${times}`;
  });
}

/** The names in code style in the first column of the table below a heading. */
export function firstColumn({ text }: Page, heading: string): string[] {
  const section = text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const cells = [...section.matchAll(/^\| (`.*?) +\|/gm)].map(([, cell = '']) => cell);
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
}
