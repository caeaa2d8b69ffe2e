import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { parseSettings, SETTINGS } from './settings.js';

const text = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
const lines = text.split('\n');
const shown = parseEnv(text) as Record<string, string>;

describe('.env.example', () => {
  it('names every setting that is built, once, and no other', () => {
    const names = lines.flatMap((line) => /^(?:# )?([A-Z][A-Z_]+)=/.exec(line)?.[1] ?? []);
    expect(names.toSorted()).toEqual(Object.keys(SETTINGS).toSorted());
  });

  it('shows the defaults: to copy it as it is changes nothing', () => {
    expect(parseSettings(shown)).toEqual(parseSettings({}));
  });

  it.each(Object.entries(SETTINGS))('%s shows its own default, or is commented out when it has none', (name, setting) => {
    const value = shown[name];
    // CACHE_DIR alone has its default from elsewhere: REGISTRY_CACHE_DIR stands in for it first.
    if (name === 'CACHE_DIR') expect(value).toBe('./data');
    else if (setting.fallback === null || name === 'CALLBACK_SECRET') expect(value).toBeUndefined();
    else expect(setting.parse(name, value ?? '')).toBe(setting.fallback);
  });

  it('explains each of them on the line before', () => {
    for (const [index, line] of lines.entries()) {
      if (/^(?:# )?[A-Z][A-Z_]+=/.test(line)) expect(lines[index - 1]).toMatch(/^# \S.+[.:)\w]$/);
    }
  });
});
