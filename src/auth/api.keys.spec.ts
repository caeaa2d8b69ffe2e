import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import { KeyFile, sha256 } from '../../test/support/keys.js';
import { until } from '../../test/support/http.client.js';
import { ManualClock } from '../../test/support/manual.clock.js';
import { ReadableLog } from '../../test/support/registry.parts.js';
import { ApiKeys } from './api.keys.js';

const ANN = { key: 'secret-of-ann', name: 'ann', scopes: ['tasks:read'] };
const good = { name: 'x', sha256: sha256('x'), scopes: [] };
/** Two keys of one caller. */
const two = (first: object, second: object): string =>
  JSON.stringify([
    { ...good, ...first },
    { ...good, sha256: sha256('y'), ...second },
  ]);

let clock: ManualClock;
let log: ReadableLog;
let file: KeyFile;
let keys: ApiKeys | null;

beforeEach(() => {
  [clock, log, file, keys] = [new ManualClock(), new ReadableLog(), new KeyFile([ANN]), null];
});

afterEach(() => {
  keys?.onModuleDestroy();
  rmSync(file.folder, { recursive: true, force: true });
});

const open = async (): Promise<ApiKeys> => (keys = await ApiKeys.open(file.path, { clock, log: log.log }));

describe('the key file at the start', () => {
  it('gives each key its caller', async () => {
    file.write([
      ANN,
      { ...ANN, key: 'second', name: 'bob', droplets: ['Echo'], rate_per_second: 0.5, concurrency: 2 },
      { key: 'k', name: 'root', scopes: ['admin'] },
    ]);
    const own = await open();
    expect((await own.authenticate('secret-of-ann'))?.identity).toEqual({
      name: 'ann',
      scopes: ['tasks:read'],
      droplets: null,
      isAdmin: false,
    });
    expect(await own.authenticate('second')).toMatchObject({
      identity: { name: 'bob', droplets: ['echo'] },
      limits: { ratePerSecond: 0.5, concurrency: 2 },
    });
    expect((await own.authenticate('k'))?.identity.isAdmin).toBe(true);
    expect(await own.authenticate('secret-of-an')).toBeNull();
  });

  it('may hold several keys of one caller, with the same limits', async () => {
    file.writeText(two({ rate_per_second: 1, concurrency: 2 }, { rate_per_second: 1, concurrency: 2 }));
    expect(await (await open()).authenticate('y')).toMatchObject({ identity: { name: 'x' }, limits: { ratePerSecond: 1 } });
  });

  it('may have been written on Windows, with digests in capitals', async () => {
    file.writeText(`\uFEFF${JSON.stringify([{ ...good, sha256: good.sha256.toUpperCase() }])}`);
    expect(await (await open()).authenticate('x')).not.toBeNull();
  });

  it('that is not there stops the start', async () => {
    rmSync(file.path);
    await expect(open()).rejects.toThrow(/^API_KEYS_FILE cannot be used: ENOENT/);
  });

  it.each([
    ['no JSON', 'hunter2', 'it is not JSON'],
    ['no list', '{"name":"hunter2"}', 'it must hold a JSON list of keys'],
    ['no entries', '["hunter2"]', 'entry 0 must be an object'],
    ['a nameless key', JSON.stringify([{ ...good, name: '' }]), 'entry 0: name'],
    ['a name with a line feed', JSON.stringify([{ ...good, name: 'hunter2\n' }]), 'entry 0: name'],
    ['a key instead of its digest', JSON.stringify([good, { ...good, sha256: 'hunter2' }]), 'entry 1: sha256'],
    ['an unknown scope', JSON.stringify([{ ...good, scopes: ['hunter2'] }]), 'entry 0: scopes'],
    ['scopes as a text', JSON.stringify([{ ...good, scopes: 'admin' }]), 'entry 0: scopes'],
    ['no scopes', JSON.stringify([{ ...good, scopes: undefined }]), 'entry 0: scopes'],
    ['droplets as a text', JSON.stringify([{ ...good, droplets: 'hunter2' }]), 'entry 0: droplets'],
    ['droplets as null, which could mean all or none', JSON.stringify([{ ...good, droplets: null }]), 'entry 0: droplets'],
    ['a misspelt member', JSON.stringify([{ ...good, droplet: ['hunter2'] }]), 'entry 0 may hold only'],
    ['a member named __proto__', `[{"name":"x","sha256":"${good.sha256}","scopes":[],"__proto__":{}}]`, 'entry 0 may hold only'],
    ['no rate', JSON.stringify([{ ...good, rate_per_second: 0 }]), 'entry 0: rate_per_second'],
    ['half a request at once', JSON.stringify([{ ...good, concurrency: 0.5 }]), 'entry 0: concurrency'],
    ['two rates of one caller', two({ rate_per_second: 1 }, { rate_per_second: 2 }), 'entry 1: rate_per_second must be that of'],
    ['a rate for one key of a caller', two({ rate_per_second: 1 }, {}), 'entry 1: rate_per_second must be that of'],
    ['two concurrencies of one caller', two({ concurrency: 1 }, { concurrency: 2 }), 'entry 1: concurrency must be that of'],
    ['one key twice', JSON.stringify([good, { ...good, name: 'y' }]), 'two entries have the same key'],
  ])('with %s stops the start with a line that shows nothing of it', async (_fault, text, reason) => {
    file.writeText(text);
    const error = await open().catch((failed: unknown) => failed as Error);
    expect((error as Error).message).toContain(`API_KEYS_FILE cannot be used: ${reason}`);
    expect((error as Error).message).not.toMatch(/hunter2|\n/);
  });
});

describe('the key file while it serves', () => {
  /** Has the file read once more, and waits until it was. */
  async function look(): Promise<void> {
    const before = clock.waits.length;
    clock.advance(2000);
    await until(() => clock.waits.length > before);
  }

  it('is taken within two seconds of a change, and told of once', async () => {
    const own = await open();
    file.write([{ ...ANN, key: 'new' }]);
    await look();
    await look();
    expect(await own.authenticate('new')).not.toBeNull();
    expect(await own.authenticate('secret-of-ann')).toBeNull();
    expect(log.lines.map(({ msg }) => msg)).toEqual(['key file taken']);
  });

  it('that is bad leaves the old keys in force, and the log says why, once, without a value', async () => {
    const own = await open();
    file.writeText(JSON.stringify([{ ...good, sha256: 'hunter2' }]));
    await look();
    await look();
    expect(await own.authenticate('secret-of-ann')).not.toBeNull();
    expect(log.lines).toHaveLength(1);
    expect(log.lines[0]).toMatchObject({ level: 'error', fault: expect.stringContaining('entry 0: sha256') });
    expect(JSON.stringify(log.lines)).not.toMatch(/hunter2|secret-of-ann/);
  });

  it('is taken again after it was bad, or away', async () => {
    const own = await open();
    rmSync(file.path);
    await look();
    expect(await own.authenticate('secret-of-ann')).not.toBeNull();
    file.write([{ ...ANN, key: 'new' }]);
    await look();
    expect(await own.authenticate('new')).not.toBeNull();
  });
});
