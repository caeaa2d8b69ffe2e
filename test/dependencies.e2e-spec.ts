import { describe, expect, it } from '@jest/globals';
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './support/process.js';

interface Locked {
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  /** Wanted for development, and optional for what is shipped: a peer that a package can do without. */
  readonly devOptional?: boolean;
}

const read = (file: string): any => JSON.parse(readFileSync(path.join(ROOT, file), 'utf8'));
const packages: Record<string, Locked> = read('package-lock.json').packages;
const allowed: Record<string, unknown> = read('package.json').allowScripts;
const nameOf = (place: string): string => place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
/** Of every platform: what is not installed here is elsewhere. */
const withScripts = Object.entries(packages).flatMap(([place, { hasInstallScript }]) =>
  hasInstallScript ? [nameOf(place)] : [],
);

/** Packages that would run something when they are installed, as their own files say. */
function installedWithScripts(): string[] {
  const files = globSync(['node_modules/*/package.json', 'node_modules/@*/*/package.json'], { cwd: ROOT });
  return files
    .filter((file) => {
      const { scripts = {} } = read(file) as { scripts?: Record<string, string> };
      const runs = ['preinstall', 'install', 'postinstall'].some((name) => scripts[name] !== undefined);
      return runs || existsSync(path.join(ROOT, path.dirname(file), 'binding.gyp'));
    })
    .map((file) => path.dirname(file).slice('node_modules/'.length));
}

describe('packages that run a script when they are installed', () => {
  it('are all decided in package.json: allowed or not', () => {
    expect(withScripts.length).toBeGreaterThan(3);
    expect(withScripts.filter((name) => typeof allowed[name] !== 'boolean')).toEqual([]);
  });

  it('are all in the lock file as such: none of what is installed has one that the lock file does not tell of', () => {
    expect(installedWithScripts().filter((name) => !withScripts.includes(name))).toEqual([]);
  });

  it('are decided only when there are such: no permission outlives its package', () => {
    expect(Object.keys(allowed).filter((name) => !withScripts.includes(name))).toEqual([]);
  });

  it('are none of those that the image brings along', () => {
    expect(readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8')).toContain('npm ci --omit=dev --omit=optional\n');
    const shipped = Object.entries(packages).filter(([, { dev, optional, devOptional }]) => !dev && !optional && !devOptional);
    expect(shipped.filter(([, { hasInstallScript }]) => hasInstallScript).map(([place]) => place)).toEqual([]);
  });
});
