import { expect } from '@jest/globals';
import { parse } from 'yaml';
import { faultsOf, readManifest } from './manifests.js';
import type { PageReader } from './page.reader.js';
import { commandsOf, type Block, type Page } from './pages.js';
import { RUN_ELSEWHERE } from './run.elsewhere.js';
import { shapeOf } from './shape.js';

/** A block at its place. */
interface Place {
  readonly page: Page;
  readonly index: number;
  readonly reader: PageReader;
}

/** Holds a block against what is real; throws when it is not so. */
type Check = (block: Block, place: Place) => Promise<void> | void;

/** What is done with a block of each language. One that is not here is run by nobody. */
export const CHECKS: Readonly<Record<string, Check>> = {
  sh: runCommands,
  json: holdJson,
  js: (block, place) => runModule(block, place, '.mjs'),
  ts: (block, place) => runModule(block, place, '.mts'),
  env: ({ text }, { reader }) => reader.runServer(settingsOf(text)),
  yaml: ({ text }) => expect(yamlFaults(parse(text, { strict: true }))).toEqual([]),
};

async function runCommands(block: Block, { page, index, reader }: Place): Promise<void> {
  const commands = commandsOf(block);
  for (const command of commands.filter((each) => !Object.hasOwn(RUN_ELSEWHERE, each))) {
    const ran = await reader.run(command);
    expect({ command, ...ran }).toMatchObject({ command, code: 0, complaint: '' });
    const next = page.blocks[index + 1];
    const isShown = next?.language === 'json' && next.file === '' && command === commands.at(-1);
    if (isShown) expect(shapeOf(JSON.parse(next.text))).toEqual(shapeOf(JSON.parse(ran.output)));
    else expect(ran.output).not.toMatch(/^\{"status":"error","error":\{"code"/);
  }
}

/** JSON is a file that something on the page uses, or what comes of the command before it. */
function holdJson({ file, text }: Block, { page, index }: Place): void {
  expect(() => JSON.parse(text)).not.toThrow();
  if (file !== '') return isUsed(file, page);
  const before = page.blocks[index - 1];
  const command = before?.language === 'sh' ? commandsOf(before).at(-1) : undefined;
  expect(command).toBeDefined();
  expect(Object.keys(RUN_ELSEWHERE)).not.toContain(command);
}

async function runModule({ file, text }: Block, { page, reader }: Place, ending: string): Promise<void> {
  if (file !== '') return isUsed(file, page);
  expect(await reader.runModule(text, ending)).toMatchObject({ code: 0, complaint: '' });
}

function isUsed(file: string, { blocks }: Page): void {
  const uses = blocks.filter((block) => ['sh', 'env', 'json'].includes(block.language) && block.text.includes(file));
  expect({ file, uses: uses.length }).not.toEqual({ file, uses: 0 });
}

/** The lines `NAME=value` of a block. */
function settingsOf(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(lines.map((line) => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]));
}

/** What the schemas of Kubernetes say of a manifest, or of fields of our container. Other YAML only has to be some. */
function yamlFaults(document: any): string[] {
  if (document.kind !== undefined) return faultsOf([document]);
  if (document.readinessProbe === undefined) return [];
  const manifest = structuredClone(readManifest('deployment.yaml'));
  Object.assign(manifest.spec.template.spec.containers[0], document);
  return faultsOf([manifest]);
}
