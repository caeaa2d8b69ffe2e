import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { StaticFile } from '../inbound/static.file.js';

const FOLDER = path.join(import.meta.dirname, 'page');

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const SHEET = /<link rel="stylesheet" href="([\w.]+)" \/>\s*/g;

const SAFE = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' };

/** The files that the page asks for by their names; the rest of the folder stands within the page itself. */
export function pageFiles(): ReadonlyMap<string, StaticFile> {
  const files = namesOf(...Object.keys(TYPES)).map((name) => {
    const type = TYPES[path.extname(name)] ?? '';
    return [name, new StaticFile(readFileSync(path.join(FOLDER, name)), { ...SAFE, 'content-type': type })] as const;
  });
  return new Map(files);
}

/**
 * The page, complete but for its modules: what it needs for the first paint is in it.
 * @param base the way from the page's address to its files, which is another one where the address ends in a slash
 */
export function pageDocument(base: string): StaticFile {
  const page = textOf('index.html');
  const [style, early] = [styleOf(page), textOf('early.js')];
  const preloads = namesOf('.js').map((name) => `<link rel="modulepreload" href="${base}${name}" />`);
  const html = page
    .replace('</head>', () => `<style>${style}</style></head>`)
    .replaceAll(SHEET, '')
    .replace('<script src="early.js"></script>', () => `<script>${early}</script>`)
    .replace('href="icon.svg"', `href="${base}icon.svg"`)
    .replace(
      '<script type="module" src="main.js"></script>',
      () => `${preloads.join('')}<script type="module" src="${base}main.js"></script>`,
    );
  return new StaticFile(Buffer.from(html), {
    ...SAFE,
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy(style, early),
  });
}

/** The sheets that the page names, in its order. */
const styleOf = (page: string): string => [...page.matchAll(SHEET)].map(([, name = '']) => textOf(name)).join('');

/** The page may do what it does, and nothing else; no text can become HTML in it. */
const policy = (style: string, script: string): string =>
  [
    "default-src 'none'",
    `script-src 'self' ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "img-src 'self'",
    "connect-src 'self'",
    ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
    ...["require-trusted-types-for 'script'", "trusted-types 'none'"],
  ].join('; ');

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const textOf = (name: string): string => readFileSync(path.join(FOLDER, name), 'utf8');

/** `early.js` is part of the page. */
const namesOf = (...extensions: readonly string[]): string[] =>
  readdirSync(FOLDER).filter((name) => extensions.includes(path.extname(name)) && name !== 'early.js');
