import { describe, expect, it } from '@jest/globals';
import { BadDocumentError, readDocument } from './registry.document.js';

const ENTRY = { id: 3, name: 'echo', endpoint: 'http://echo:9000' };
const WHOLE = {
  ...{ ...ENTRY, version: null, metadata: null, steward: null, status: 'active', proof: null },
  ...{ cost_usd: 0, yield_usd: 0, registered_at: null, updated_at: null },
};

const read = (value: unknown) => readDocument(JSON.stringify(value));
const only = (entry: object) => read([{ ...ENTRY, ...entry }]).droplets[0];

describe('what a Registry may answer with', () => {
  it.each([
    ['{droplets:[…]}', { droplets: [ENTRY], total: 1, timestamp: 'now' }],
    ['a bare list', [ENTRY]],
    ['url for endpoint', { droplets: [{ id: 3, name: 'echo', url: 'http://echo:9000' }] }],
    ['a null endpoint beside a url', [{ ...ENTRY, endpoint: null, url: 'http://echo:9000' }]],
    ['an endpoint with a trailing slash', [{ ...ENTRY, endpoint: 'http://echo:9000/' }]],
    ['metadata null', [{ ...ENTRY, metadata: null }]],
    ['metadata that is no object', [{ ...ENTRY, metadata: 'v1' }]],
    ['keys that we do not know', [{ ...ENTRY, colour: 'blue' }]],
    ['costs that are no numbers', [{ ...ENTRY, cost_usd: '1', yield_usd: null }]],
  ])('takes %s', (_form, document) => {
    expect(read(document)).toEqual({ droplets: [WHOLE], rejected: 0 });
  });

  it('keeps a string id as it is', () => {
    expect(only({ id: 'drop-7' })?.id).toBe('drop-7');
  });

  it.each([
    ['at the top', { version: '2.1.0' }],
    ['in the metadata', { metadata: { version: '2.1.0' } }],
    ['in both, the top one', { version: '2.1.0', metadata: { version: '1' } }],
  ])('finds the version %s', (_place, more) => {
    expect(only(more)?.version).toBe('2.1.0');
  });

  it('keeps everything that the listing shows', () => {
    const more = {
      ...{ steward: 'Ana', status: 'error', proof: { a: 1 }, cost_usd: 1.5, yield_usd: -2 },
      ...{ registered_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-02T00:00:00Z', metadata: { region: 'eu' } },
    };
    expect(only(more)).toEqual({ ...WHOLE, ...more });
  });

  it('keeps the endpoint path, and entries that differ only in case', () => {
    const entries = [
      { ...ENTRY, endpoint: 'https://host/api/v1/' },
      { ...ENTRY, id: 4, name: 'Echo' },
    ];
    const { droplets } = read(entries);
    expect(droplets.map(({ name, endpoint }) => [name, endpoint])).toEqual([
      ['echo', 'https://host/api/v1'],
      ['Echo', 'http://echo:9000'],
    ]);
  });

  it('takes an empty list', () => {
    expect(read([])).toEqual({ droplets: [], rejected: 0 });
  });
});

describe('a bad entry is left out and counted', () => {
  const deep = JSON.parse('{"a":'.repeat(70) + '1' + '}'.repeat(70)) as object;

  it.each<[string, unknown]>([
    ['null', null],
    ['a string', 'echo'],
    ['a list', [ENTRY]],
    ['no name', { ...ENTRY, name: undefined }],
    ['an empty name', { ...ENTRY, name: '' }],
    ['a name of 256 characters', { ...ENTRY, name: 'n'.repeat(256) }],
    ['a name that is a number', { ...ENTRY, name: 7 }],
    ['no id', { ...ENTRY, id: undefined }],
    ['an empty id', { ...ENTRY, id: '' }],
    ['an id that is an object', { ...ENTRY, id: {} }],
    ['no endpoint', { ...ENTRY, endpoint: undefined }],
    ['an endpoint that is no URL', { ...ENTRY, endpoint: 'echo:9000' }],
    ['an ftp endpoint', { ...ENTRY, endpoint: 'ftp://echo' }],
    ['an endpoint with a user', { ...ENTRY, endpoint: 'http://u:p@echo' }],
    ['an endpoint with a query', { ...ENTRY, endpoint: 'http://echo?x=1' }],
    ['an endpoint that is an object', { ...ENTRY, endpoint: { host: 'echo' } }],
    ['metadata nested too deeply', { ...ENTRY, metadata: deep }],
  ])('%s', (_fault, entry) => {
    const { droplets, rejected } = read([{ ...ENTRY, name: 'good' }, entry]);
    expect([droplets.map(({ name }) => name), rejected]).toEqual([['good'], 1]);
  });

  it('one that reaches for a prototype', () => {
    const bad = '{"id":4,"name":"evil","endpoint":"http://evil","__proto__":{"status":"x"}}';
    expect(readDocument(`[${JSON.stringify(ENTRY)},${bad}]`)).toEqual({ droplets: [WHOLE], rejected: 1 });
  });

  it('an id that is too large to be a number', () => {
    expect(readDocument('[{"id":1e400,"name":"echo","endpoint":"http://echo"}]')).toEqual({ droplets: [], rejected: 1 });
  });

  it('the second entry of the same name', () => {
    const { droplets, rejected } = read([ENTRY, { ...ENTRY, id: 9, endpoint: 'http://other' }, ENTRY]);
    expect([droplets, rejected]).toEqual([[WHOLE], 2]);
  });
});

describe('a bad document is a failed sync', () => {
  it.each([
    ['null', 'null'],
    ['HTML', '<!doctype html><title>Bad gateway</title>'],
    ['an object without a list', '{}'],
    ['droplets that are no list', '{"droplets":{"echo":{}}}'],
    ['droplets null', '{"droplets":null}'],
    ['a string', '"droplets"'],
    ['a number', '42'],
    ['nothing', ''],
    ['half a document', '{"droplets":[{"id":3,"na'],
    ['100,000 open brackets', '['.repeat(100_000)],
  ])('%s', (_form, text) => {
    expect(() => readDocument(text)).toThrow(BadDocumentError);
  });

  it('a list of 100,000 lists in one another holds no droplet, and does not break the reader', () => {
    const text = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(readDocument(text)).toEqual({ droplets: [], rejected: 1 });
  });
});
