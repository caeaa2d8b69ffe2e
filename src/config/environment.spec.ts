import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readEnvironment } from './environment.js';
import { parseSettings } from './settings.js';

const before = process.cwd();
const environment = { ...process.env };
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'environment-'));
  process.chdir(folder);
});

afterEach(() => {
  process.chdir(before);
  process.env = { ...environment };
  rmSync(folder, { recursive: true, force: true });
});

const settings = (envFile: string, given: Record<string, string> = {}) => {
  writeFileSync('.env', envFile);
  Object.assign(process.env, given);
  return parseSettings(readEnvironment());
};

describe('.env of the working directory', () => {
  it('is not needed', () => {
    process.env.SERVICE_NAME = 'from-the-environment';
    expect(parseSettings(readEnvironment()).SERVICE_NAME).toBe('from-the-environment');
  });

  it('gives settings', () => {
    expect(settings('PORT=9000\n# a comment\nSTEWARD="Ana B." # why\nRETRY_JITTER=none\n')).toMatchObject({
      PORT: 9000,
      STEWARD: 'Ana B.',
      RETRY_JITTER: 'none',
    });
  });

  it('loses against the environment', () => {
    expect(settings('PORT=9000\nSTEWARD=file', { PORT: '9001' })).toMatchObject({ PORT: 9001, STEWARD: 'file' });
  });

  it.each(['', ' ', '\t'])('counts when the environment holds nothing: %j', (empty) => {
    expect(settings('PORT=9000', { PORT: empty }).PORT).toBe(9000);
  });

  it('an empty value in it counts as unset', () => {
    expect(settings('PORT=\nSTEWARD=""\nHOST=   \n')).toMatchObject({ PORT: 8001, STEWARD: null, HOST: '0.0.0.0' });
  });

  it('names that we do not know are ignored', () => {
    expect(settings('NO_SUCH=1\nPORT=9000').PORT).toBe(9000);
  });

  it('a wrong value in it stops the start as one in the environment does', () => {
    expect(() => settings('PORT=many')).toThrow(/^PORT must be/);
    expect(() => settings('AUTH_MODE=apikey')).toThrow(/^API_KEYS_FILE /);
  });

  it('may have been written on Windows', () => {
    expect(settings('\uFEFFPORT=9000\r\nSTEWARD=Ana\r\n')).toMatchObject({ PORT: 9000, STEWARD: 'Ana' });
  });

  it('may say export', () => {
    expect(settings('export PORT=9000\n').PORT).toBe(9000);
  });
});
