import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './process.js';

/** One line of a Dockerfile: `COPY`, and what follows. */
interface Instruction {
  readonly name: string;
  readonly value: string;
}

/** What stands between one FROM and the next. */
export interface Stage {
  readonly name: string;
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** The project's Dockerfile. */
export function readDockerfile(): Stage[] {
  const text = readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8').replaceAll('\\\n', ' ');
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const stages: { name: string; base: string; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, name = '', value = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    const [, base, as = String(stages.length)] = (name === 'FROM' ? /^(\S+)(?:\s+AS\s+(\S+))?$/.exec(value) : null) ?? [];
    if (base !== undefined) stages.push({ name: as, base, instructions: [] });
    else stages.at(-1)?.instructions.push({ name, value });
  }
  return stages;
}

/** The last value of an instruction in a stage. */
export const lastOf = (stage: Stage, name: string): string =>
  stage.instructions.findLast((instruction) => instruction.name === name)?.value ?? '';

/** `A=b C=d`. */
export const pairsOf = (value: string): [string, string][] =>
  value.split(/\s+/).map((pair) => pair.split('=') as [string, string]);

/** The exec form: `CMD ["node", "x"]`, also behind the options of HEALTHCHECK. */
export const execForm = (value: string): string[] => JSON.parse(value.slice(value.indexOf('['))) as string[];

/** The files that an engine would be sent: everything in the checkout but what .dockerignore keeps back. */
export function buildContext(): string[] {
  const text = readFileSync(path.join(ROOT, '.dockerignore'), 'utf8');
  const rules = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const files = (folder: string): string[] =>
    readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((file) => {
      const name = path.join(folder, file.name);
      if (file.isDirectory()) return isNeeded(rules, name) ? files(name) : [];
      return isSent(rules, name) ? [name] : [];
    });
  return files('');
}

/** The last rule that matches a file, or a folder that it is in, decides. */
function isSent(rules: readonly string[], file: string): boolean {
  const parts = file.split(path.sep);
  const names = parts.map((_part, index) => parts.slice(0, index + 1).join('/'));
  const rule = rules.findLast((each) => names.some((name) => toRegExp(each.replace(/^!/, '')).test(name)));
  return rule?.startsWith('!') ?? true;
}

/** May anything below a folder be sent? */
const isNeeded = (rules: readonly string[], folder: string): boolean =>
  isSent(rules, folder) || rules.some((rule) => rule.startsWith(`!${folder}/`));

/** Unlike a shell's, the stars of .dockerignore match names that begin with a dot. */
function toRegExp(glob: string): RegExp {
  const stars: Record<string, string> = { '**/': '(.*/)?', '*': '[^/]*' };
  return new RegExp(`^${glob.replaceAll(/\*\*\/|\*|[.+^${}()|[\]\\]/g, (found) => stars[found] ?? `\\${found}`)}$`);
}
