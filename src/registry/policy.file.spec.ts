import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { until } from '../../test/support/http.client.js';
import { ManualClock } from '../../test/support/manual.clock.js';
import { ReadableLog, settingsOf, temporaryFolder } from '../../test/support/registry.parts.js';
import { BadSettingError } from '../config/setting.js';
import { PolicyBook } from './policy.book.js';
import { PolicyFile } from './policy.file.js';

const LOOK_MS = 2000;

describe('the file of policies', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let file: string;
  let clock: ManualClock;
  let log: ReadableLog;
  let book: PolicyBook;
  let policies: PolicyFile;

  beforeEach(() => {
    folder = temporaryFolder();
    file = path.join(folder.home, 'policies.json');
    clock = new ManualClock();
    log = new ReadableLog();
    const settings = settingsOf({ POLICY_FILE: file });
    book = new PolicyBook(settings, log.log);
    policies = new PolicyFile(book, settings, clock, log.log);
  });

  afterEach(() => {
    policies.onModuleDestroy();
    folder.remove();
  });

  const write = (document: unknown): void =>
    writeFileSync(file, typeof document === 'string' ? document : JSON.stringify(document));
  const attempts = (): number | null => book.policyOf({ name: 'Echo', metadata: null }).maxAttempts;
  const messages = (): string[] => log.lines.map(({ msg }) => msg as string);
  /** The file is looked at once more, and the look is over. */
  const looked = async (): Promise<void> => {
    await until(() => clock.waiting.length > 0);
    clock.advance(LOOK_MS);
    await until(() => clock.waiting.length > 0);
  };

  it('is in force from the start', async () => {
    write({ ECHO: { max_attempts: 4 } });
    await policies.onModuleInit();
    expect([attempts(), book.policyOf({ name: 'other', metadata: null }).maxAttempts]).toEqual([4, null]);
  });

  it('may have been written on Windows', async () => {
    write(`\uFEFF${JSON.stringify({ echo: { max_attempts: 4 } })}`);
    await policies.onModuleInit();
    expect(attempts()).toBe(4);
  });

  it('is taken anew when it changes, and only then', async () => {
    write({ echo: { max_attempts: 4 } });
    await policies.onModuleInit();
    await looked();
    expect([attempts(), messages()]).toEqual([4, []]);
    write({ echo: { max_attempts: 5 } });
    await looked();
    expect([attempts(), messages()]).toEqual([5, ['policy file taken']]);
  });

  it('leaves the old one in force while it is bad, says why once, shows no value, and is taken when it is mended', async () => {
    write({ echo: { max_attempts: 4 } });
    await policies.onModuleInit();
    const bad = ['{"echo":', '[]', { echo: { max_attempts: 's3cr3t' } }, { echo: { headers: { host: 's3cr3t' } } }];
    for (const document of bad) {
      write(document);
      await looked();
      await looked();
      expect(attempts()).toBe(4);
    }
    rmSync(file);
    await looked();
    expect(attempts()).toBe(4);
    const faults = log.lines.filter(({ msg }) => msg === 'policy file not taken, the old one holds').map(({ fault }) => fault);
    expect(faults).toEqual([
      ...['it is not JSON', 'it must hold a JSON object by droplet name'],
      "'echo': max_attempts must be a whole number from 1 to 50",
      ...["'echo': headers may not set host", expect.stringContaining('ENOENT')],
    ]);
    expect(JSON.stringify(log.lines)).not.toContain('s3cr3t');
    write({ echo: { max_attempts: 5 } });
    await looked();
    expect(attempts()).toBe(5);
  });

  it('takes the value of a header from a file of its own, also when only that one changes', async () => {
    const secret = path.join(folder.home, 'token');
    writeFileSync(secret, 'Bearer one\n');
    write({ echo: { headers: { Authorization: `file:${secret}`, 'X-Plain': 'file' } } });
    await policies.onModuleInit();
    const headers = () => book.policyOf({ name: 'echo', metadata: null }).headers;
    expect(headers()).toEqual({ authorization: 'Bearer one', 'x-plain': 'file' });
    writeFileSync(secret, 'Bearer two\n');
    await looked();
    expect(headers()).toEqual({ authorization: 'Bearer two', 'x-plain': 'file' });
    writeFileSync(secret, 'two\nlines\n');
    await looked();
    expect(headers().authorization).toBe('Bearer two');
    expect(JSON.stringify(log.lines)).not.toContain('Bearer');
  });

  it('that cannot be used at the start stops it', async () => {
    await expect(policies.onModuleInit()).rejects.toThrow(BadSettingError);
    write({ echo: 1 });
    await expect(policies.onModuleInit()).rejects.toThrow("POLICY_FILE cannot be used: 'echo': must be an object");
  });

  it('is not looked for when there is none', async () => {
    const none = new PolicyFile(book, settingsOf({}), clock, log.log);
    await none.onModuleInit();
    expect(clock.waiting).toEqual([]);
  });
});
