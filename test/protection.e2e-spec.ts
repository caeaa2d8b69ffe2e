import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { OrchestratorProcess, ROOT, tempFolder, TestProcess } from './support/process.js';

const page = readFileSync(path.join(ROOT, 'docs/protection.md'), 'utf8');
const blocks = [...page.matchAll(/^```(\w*).*\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({ language, text }));
const commands = blocks.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.trim().split('\n'));
const [policies = '', keys = ''] = blocks.filter(({ language }) => language === 'json').map(({ text }) => text);

describe('docs/protection.md', () => {
  let server: OrchestratorProcess;

  beforeAll(async () => {
    server = await OrchestratorProcess.start();
  }, 30_000);
  afterAll(() => server.remove());

  const run = async (command: string, environment: Record<string, string> = {}): Promise<string> => {
    const call = new TestProcess('sh', ['-c', command.replaceAll('8001', String(server.port))], { cwd: ROOT, environment });
    expect(await call.end()).toEqual({ code: 0, signal: null });
    return call.stdout;
  };

  it.each(commands.filter((command) => command.startsWith('curl')))('shows a command that works: %s', async (command) => {
    expect(JSON.parse(await run(command))).toMatchObject({ droplet: { name: 'orchestrator' } });
  });

  it('shows how to make the digest of a key', async () => {
    const [command = ''] = commands.filter((each) => each.includes('sha256sum'));
    expect((await run(command, { KEY: 'a key' })).split(' ')[0]).toBe(createHash('sha256').update('a key').digest('hex'));
  });

  it('shows files that the server starts with', async () => {
    const home = tempFolder();
    const token = path.join(home, 'token');
    writeFileSync(token, 'Bearer secret\n');
    writeFileSync(path.join(home, 'policies.json'), policies.replace(/file:[^"]+/, `file:${token}`));
    writeFileSync(path.join(home, 'keys.json'), keys);
    const files = { POLICY_FILE: 'policies.json', AUTH_MODE: 'apikey', API_KEYS_FILE: 'keys.json' };
    const guarded = await OrchestratorProcess.start(files, home);
    expect((await guarded.get('/orchestrator/tasks')).status).toBe(401);
    await guarded.remove();
  });

  it('names a file that there is', () => {
    const [, file = ''] = /`(src\/[^`]+)`/.exec(page) ?? [];
    expect(existsSync(path.join(ROOT, file))).toBe(true);
  });
});
