import { describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { SETTINGS } from '../src/config/settings.js';
import { buildContext, execForm, lastOf, pairsOf, readDockerfile } from './support/dockerfile.js';
import { ROOT } from './support/process.js';

/** Set for other programs than ours. */
const NOT_OURS = ['NODE_ENV', 'DROPLETS'];

describe('the Dockerfile and compose.yaml', () => {
  const stages = readDockerfile();
  const final = stages.at(-1)!;
  const compose = readFileSync(path.join(ROOT, 'compose.yaml'), 'utf8');

  it('builds in stages of their own, all on the Node that the project is tested with', () => {
    expect(stages.length).toBeGreaterThan(1);
    expect(new Set(stages.map(({ base }) => base))).toEqual(new Set([`node:${process.versions.node.split('.')[0]}-slim`]));
  });

  it('ends as a user that is not root, with the server as its command and node as its probe', () => {
    expect(lastOf(final, 'USER')).toBe('node');
    expect(execForm(lastOf(final, 'CMD'))).toEqual(['node', 'dist/main.js']);
    expect(execForm(lastOf(final, 'HEALTHCHECK'))[0]).toBe('node');
    expect(lastOf(final, 'HEALTHCHECK')).toContain('/orchestrator/health/live');
    expect(lastOf(final, 'EXPOSE')).toBe(String(SETTINGS.PORT.fallback));
  });

  it('keeps its data in volumes that its user owns', () => {
    const settings = Object.fromEntries(pairsOf(lastOf(final, 'ENV')));
    expect(settings.CACHE_DIR).toBe('/var/cache/fpai');
    const volumes = JSON.parse(lastOf(final, 'VOLUME')) as string[];
    expect(volumes).toEqual([path.dirname(settings.DATABASE_URL!), settings.CACHE_DIR]);
    expect(lastOf(final, 'RUN')).toContain(`chown node:node ${[...volumes].reverse().join(' ')}`);
  });

  it('sends neither secrets nor what was installed or built on this machine to the engine', () => {
    const sent = buildContext();
    expect(sent).toContain('src/main.ts');
    expect(sent).toContain('package-lock.json');
    expect(sent.filter((file) => /^(\.env|\.git|data|dist|node_modules|coverage)/.test(file))).toEqual([]);
    expect(sent.filter((file) => file.endsWith('.spec.ts'))).toEqual([]);
  });

  it('uses only settings that there are', () => {
    const inImage = pairsOf(lastOf(final, 'ENV')).map(([name]) => name);
    const inCompose = [...compose.matchAll(/^ {6}([A-Z_]+):/gm)].map(([, name]) => name!);
    expect(inCompose.length).toBeGreaterThan(2);
    expect([...inImage, ...inCompose].filter((name) => !(name in SETTINGS) && !NOT_OURS.includes(name))).toEqual([]);
  });

  it('starts only scripts that there are', () => {
    const scripts = [...compose.matchAll(/'\/(demo\/[\w.]+)'/g)].map(([, script]) => script!);
    expect(scripts).toEqual(['demo/registry.mjs', 'demo/droplet.mjs']);
    expect(scripts.filter((script) => !existsSync(path.join(ROOT, script)))).toEqual([]);
  });
});
