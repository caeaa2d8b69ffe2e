import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ManualClock } from '../../test/support/manual.clock.js';
import { knownDroplet, ReadableLog, settingsOf, temporaryFolder } from '../../test/support/registry.parts.js';
import { CacheFile } from './cache.file.js';

const NAME = 'orchestrator_droplets.json';
const LIST = [
  knownDroplet('echo', { id: 3, version: '1.0.0', metadata: { version: '1.0.0', '10': 'ten', a: [1, null] } }),
  knownDroplet('Ünïcode', { id: 'x-1', endpoint: 'http://unicode:9000', status: 'inactive', missingSince: 1_767_225_600_000 }),
  knownDroplet('three', { id: 5 }),
];

describe('the droplet list on disk', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let clock: ManualClock;
  let log: ReadableLog;
  let file: string;
  let cache: CacheFile;

  const inFolder = (directory: string): CacheFile => new CacheFile(settingsOf({ CACHE_DIR: directory }), clock, log.log);
  const others = (): string[] => readdirSync(folder.home).filter((name) => name !== NAME);

  beforeEach(() => {
    folder = temporaryFolder();
    clock = new ManualClock();
    log = new ReadableLog();
    file = path.join(folder.home, NAME);
    cache = inFolder(folder.home);
  });

  afterEach(() => folder.remove());

  it('is nothing when there is no file, and that is no fault', async () => {
    expect(await cache.load()).toBeNull();
    expect(log.lines).toEqual([]);
  });

  it('is one JSON document with schema, time, checksum and as many droplets as were saved', async () => {
    await cache.save(LIST);
    const document = JSON.parse(readFileSync(file, 'utf8'));
    expect(Object.keys(document)).toEqual(['schema', 'saved_at', 'sha256', 'droplets']);
    expect([document.schema, document.saved_at, document.droplets.length]).toEqual([1, '2026-01-01T00:00:00.000Z', 3]);
    expect(document.sha256).toBe(createHash('sha256').update(JSON.stringify(document.droplets)).digest('hex'));
  });

  it('comes back as it was, with the time of saving, whenever it is read', async () => {
    await cache.save(LIST);
    clock.advance(600_000);
    expect(await cache.load()).toEqual({ droplets: LIST, savedAt: clock.start });
  });

  it('leaves nothing but the file behind', async () => {
    await cache.save(LIST);
    expect(others()).toEqual([]);
  });

  it('makes its folder', async () => {
    const deep = path.join(folder.home, 'not', 'there', 'yet');
    await inFolder(deep).save(LIST);
    expect((await inFolder(deep).load())?.droplets).toEqual(LIST);
  });

  it('keeps an empty list apart from none', async () => {
    await cache.save([]);
    expect((await cache.load())?.droplets).toEqual([]);
  });

  it("reads v1.1.0's file, a bare array, as old as the file is", async () => {
    const old = [{ id: 3, name: 'echo', endpoint: 'http://echo:9000', status: 'active', extra: 1 }, { name: 'bad' }];
    writeFileSync(file, JSON.stringify(old, null, 2));
    utimesSync(file, 1_700_000_000, 1_700_000_000);
    const saved = await cache.load();
    expect([saved?.droplets.map(({ name }) => name), saved?.savedAt]).toEqual([['echo'], 1_700_000_000_000]);
  });

  it('holds the last list whole after fifty concurrent saves', async () => {
    const lists = Array.from({ length: 50 }, (_, n) => Array.from({ length: n + 1 }, (_, i) => knownDroplet(`d${i}`, { id: i })));
    await Promise.all(lists.map((list) => cache.save(list)));
    expect((await cache.load())?.droplets).toHaveLength(50);
    expect([others(), log.lines]).toEqual([[], []]);
  });

  it('is whole at every moment of a save, so a kill leaves the old list or the new one', async () => {
    await cache.save(LIST);
    const saves = Array.from({ length: 30 }, (_, n) => cache.save(n % 2 ? LIST : []));
    const progress = { ended: 0 };
    for (const save of saves) void save.then(() => progress.ended++);
    let readsWithin = 0;
    while (progress.ended < saves.length) {
      expect([0, LIST.length]).toContain((JSON.parse(readFileSync(file, 'utf8')) as { droplets: unknown[] }).droplets.length);
      readsWithin++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(readsWithin).toBeGreaterThan(1);
  });

  it('is not disturbed by the temporary file of a process that was killed', async () => {
    await cache.save(LIST);
    writeFileSync(`${file}.tmp`, '{"schema":1,"droplets":[{"id"'.repeat(1000));
    expect((await cache.load())?.droplets).toEqual(LIST);
    await cache.save(LIST.slice(0, 1));
    expect([(await cache.load())?.droplets.length, others()]).toEqual([1, []]);
  });

  it.each([
    ['empty', ''],
    ['cut off', '{"schema":1,"saved_at":"2026-01-01T00:00:00.000Z","sha256":"ab","drop'],
    ['garbage', '\u0000\u0001\ufffd'],
    ['null', 'null'],
    ['of another program', '{"hello":"world"}'],
    ['of a later schema', '{"schema":2,"droplets":[]}'],
    ['without a checksum', '{"schema":1,"saved_at":"2026-01-01T00:00:00.000Z","droplets":[]}'],
    ['with droplets that are no list', '{"schema":1,"sha256":"x","droplets":{}}'],
  ])('sets a file aside that is %s, says so, and goes on', async (_fault, text) => {
    writeFileSync(file, text);
    expect(await cache.load()).toBeNull();
    const [aside = ''] = others();
    expect([existsSync(file), readFileSync(path.join(folder.home, aside), 'utf8')]).toEqual([false, text]);
    expect(log.lines).toMatchObject([{ level: 'warn', moved_to: path.join(folder.home, aside) }]);
    await cache.save(LIST);
    expect((await cache.load())?.droplets).toEqual(LIST);
  });

  it('never takes a list from a file with a flipped bit for a good one', async () => {
    await cache.save(LIST);
    const good = readFileSync(file);
    const whole = JSON.stringify((await cache.load())?.droplets);
    const wrong: number[] = [];
    for (let byte = 0; byte < good.length; byte++) {
      const bad = Buffer.from(good);
      bad[byte]! ^= 1 << (byte % 8);
      writeFileSync(file, bad);
      const saved = await cache.load();
      if (saved && JSON.stringify(saved.droplets) !== whole) wrong.push(byte);
    }
    expect(wrong).toEqual([]);
    expect(others().length).toBeGreaterThan(0);
  });

  it('never takes a truncated file for a good one', async () => {
    await cache.save(LIST);
    const good = readFileSync(file);
    for (let length = 0; length < good.length; length++) {
      writeFileSync(file, good.subarray(0, length));
      expect(await cache.load()).toBeNull();
    }
  });

  it('sets a directory of its name aside', async () => {
    mkdirSync(path.join(file, 'inner'), { recursive: true });
    expect(await cache.load()).toBeNull();
    await cache.save(LIST);
    expect((await cache.load())?.droplets).toEqual(LIST);
  });

  it.each([
    ['the folder cannot be made', (home: string) => writeFileSync(path.join(home, 'blocked'), '')],
    [
      'the temporary file cannot be opened',
      (home: string) => mkdirSync(path.join(home, 'blocked', `${NAME}.tmp`), { recursive: true }),
    ],
    ['the file cannot be replaced', (home: string) => mkdirSync(path.join(home, 'blocked', NAME, 'inner'), { recursive: true })],
  ])('logs a save that fails because %s, and saves again when it can', async (_why, block) => {
    block(folder.home);
    const blocked = path.join(folder.home, 'blocked');
    await inFolder(blocked).save(LIST);
    expect(log.lines).toMatchObject([{ level: 'warn', msg: 'droplet list not saved' }]);
    rmSync(blocked, { recursive: true });
    const cacheThere = inFolder(blocked);
    await cacheThere.save(LIST);
    expect((await cacheThere.load())?.droplets).toEqual(LIST);
  });

  it('is no list, and no fault to die of, when its folder is a file', async () => {
    const blocked = path.join(folder.home, 'blocked');
    writeFileSync(blocked, '');
    expect(await inFolder(blocked).load()).toBeNull();
    expect(log.lines).toMatchObject([{ level: 'warn', moved_to: null }]);
  });

  it('goes on saving after a save has failed', async () => {
    mkdirSync(`${file}.tmp`);
    const failed = cache.save(LIST);
    await failed;
    rmSync(`${file}.tmp`, { recursive: true });
    await cache.save(LIST);
    expect((await cache.load())?.droplets).toEqual(LIST);
  });
});
