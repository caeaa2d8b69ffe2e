import { describe, expect, it } from '@jest/globals';
import { targetUrlContract } from '../../test/contracts/target.url.contract.js';
import { InvalidRequestError } from '../common/errors.js';
import { endpointFault, pathFault, targetUrl } from './target-url.js';

const ENDPOINTS = ['http://droplet:8001', 'http://droplet:8001/', 'https://mesh.example/team/a', 'https://mesh.example/team/a/'];

/** Written out one by one: each has been a hole in some proxy. */
const EVIL = [
  // Out of the host: another authority, or none.
  ...['', ' ', '/ ', 'health', 'http://evil/', 'https://evil/', '//evil/', '//evil', '///evil', '/\\evil', '\\\\evil', '\\evil'],
  ...['@evil/', '.evil/', ':80@evil/', '?next=1', ';x', '//', '/\\/evil', '//user@evil/', '/\t/evil', '\t//evil'],
  // Up the tree, plainly.
  ...['/..', '/../', '/../x', '/a/..', '/a/../..', '/a/../../x', '/.', '/./', '/a/./b', '/a/.', '/a//../x', '/..?x=1', '/.?x=1'],
  // Up the tree, escaped once, in part, and twice.
  ...['/%2e', '/%2E', '/%2e%2e', '/%2E%2e/x', '/.%2e/x', '/%2e./x', '/a/%2e%2e/b', '/%252e', '/%252e%252e/x', '/.%252e/x'],
  ...['/%2e%252E/x', '/%25%32%65%25%32%65/x', '/%25%32e%25%32e/x', '/a/%252e%252E'],
  // Up the tree with path parameters, as Tomcat cuts them.
  ...['/..;/x', '/..;a=b/x', '/.;/x', '/%2e%2e;/x', '/..%3b/x', '/..%3Bx/y', '/%252e%252e%253b/x', '/a/..;'],
  // Slashes and backslashes in disguise.
  ...[
    '/..%2fx',
    '/..%2Fx',
    '/a%2fb',
    '/a%2F..%2Fb',
    '/%2f',
    '/%2fevil',
    '/..%5cx',
    '/a%5Cb',
    '/a\\b',
    '/..\\x',
    '/\\..\\x',
    '/%5c%5cevil',
  ],
  // NUL, control characters, what is not ASCII, and the fragment.
  ...[
    '/%00',
    '/a%00.json',
    '/\0',
    '/a\r\nHost: evil',
    '/a\nb',
    '/a\rb',
    '/a b',
    '/a\tb',
    '/\x7f',
    '/\x1f',
    '/é',
    '/。。/x',
    '/․․/x',
    '/／',
  ],
  ...['/\ufeff', '/\u2028', '/\ud800', '/#', '/a#b', '/#/../x', '/a?b#c'],
  // Broken escapes.
  ...['/%', '/%2', '/%zz', '/%2g', '/a%', '/%%32%65', '/%u002e', '/%c0%ae%', '/%-2e'],
];

const BENIGN = [
  ...['/', '/health', '/api/v1/items/', '/a//b', '/...', '/..a', '/a..', '/.well-known/x', '/a.b/c.d', '/~user', '/a;v=1/b'],
  ...['/%20', '/%C3%A9', '/%c3%a9', '/a%2Eb', '/a%25b', "/-._~!$&'()*+,;=:@", '/a"<>[]^`{|}b', '/@evil', '/:80', '/http://evil/'],
  ...['/a?b=c&d', '/?', '/?..', '/?/../..', '/a?x=%2f%00%5c\\', '/a?b=%', '/a??b', `/${'x'.repeat(2047)}`],
];

describe('target URL', () => {
  it('has a matrix of at least sixty paths that try to leave, and each is another', () => {
    expect(new Set(EVIL).size).toBe(EVIL.length);
    expect(EVIL.length).toBeGreaterThanOrEqual(60);
  });

  it.each(EVIL.map((path) => [JSON.stringify(path), path]))('refuses %s at every endpoint', (_title, path) => {
    expect(pathFault(path)).not.toBeNull();
    for (const endpoint of ENDPOINTS) expect(() => targetUrl(endpoint, path)).toThrow(InvalidRequestError);
  });

  it.each(BENIGN.map((path) => [path.slice(0, 40), path]))('sends %s byte for byte', (_title, path) => {
    expect(targetUrl('http://droplet:8001', path)).toEqual({
      ...{ origin: 'http://droplet:8001', endpoint: 'http://droplet:8001' },
      ...{ path, url: `http://droplet:8001${path}` },
    });
    expect(targetUrl('https://mesh.example/team/a', path).path).toBe(`/team/a${path}`);
  });

  it.each([
    ['http://droplet:8001/', '/x', { origin: 'http://droplet:8001', path: '/x', url: 'http://droplet:8001/x' }],
    ['http://h/base/', '/x', { origin: 'http://h', path: '/base/x', endpoint: 'http://h/base', url: 'http://h/base/x' }],
    ['http://h/base//', '/x', { path: '/base/x', endpoint: 'http://h/base' }],
    ['http://h/one/../two', '/x', { path: '/two/x' }],
    ...['http://h/a/.', 'http://h/a/b/..', 'http://h/a/%2e', 'http://h/a/b/%2E%2e/', 'http://h/a/./'].flatMap((endpoint) => [
      [endpoint, '/x', { origin: 'http://h', path: '/a/x' }] as const,
      [endpoint, '/x%20', { origin: 'http://h', path: '/a/x%20' }] as const,
    ]),
    ['http://h/a/..', '/x', { origin: 'http://h', path: '/x' }],
    ['http://h//./', '/x', { origin: 'http://h', path: '//x' }],
    ['HTTP://H:80', '/x', { origin: 'http://h', path: '/x' }],
    ['https://h:443/b', '/', { origin: 'https://h', path: '/b/' }],
    ['http://[::1]:9', '/x', { origin: 'http://[::1]:9', path: '/x' }],
    ['http://2130706433', '/x', { origin: 'http://127.0.0.1' }],
  ])('joins %s and %s', (endpoint, path, expected) => {
    expect(targetUrl(endpoint, path)).toMatchObject(expected);
  });

  it('names the field and never repeats the path in what it says', () => {
    const refuse = (): unknown => targetUrl('http://droplet', '/../secret-name');
    expect(refuse).toThrow(expect.objectContaining({ details: { errors: [{ field: 'path', message: expect.any(String) }] } }));
    expect(refuse).not.toThrow(/secret-name/);
  });
});

targetUrlContract(100_000);

describe('an endpoint', () => {
  it.each([
    ...['http://droplet', 'https://droplet', 'http://droplet:8001/', 'http://droplet/base/', 'HTTP://DROPLET'],
    ...['http://[::1]:8001', 'http://127.0.0.1', 'http://a.b.c:65535/x/y'],
  ])('%s can be called', (endpoint) => {
    expect(endpointFault(endpoint)).toBeNull();
  });

  it.each([
    ...['', 'droplet', 'droplet:8001', '/droplet', '//droplet', 'http:', 'http://', 'http:///', 'http:droplet', 'http:/droplet'],
    ...['ftp://droplet', 'file:///etc/passwd', 'javascript:alert(1)', 'ws://droplet', 'unix:/run/docker.sock', 'http+unix://x'],
    ...[
      'http://droplet?x=1',
      'http://droplet/?',
      'http://droplet#x',
      'http://droplet/#',
      'http://droplet:99999',
      'http://droplet:x',
    ],
    ...['http://user@droplet', 'http://user:secret@droplet', 'http://:secret@droplet', 'http://@droplet', 'HTTP://user@droplet'],
    ...[
      'http:///user@droplet',
      'http:////user:secret@droplet',
      'http://a b',
      ' http://droplet',
      'http://droplet\n',
      'http://dröplet',
    ],
    ...[
      'http:\\\\droplet',
      'http://droplet\\x',
      'http://[::1',
      'http://[fe80::1%25eth0]/',
      'http://1.2.3.4.5',
      'http://0x1ffffffff',
    ],
  ])('%j is refused', (endpoint) => {
    expect(endpointFault(endpoint)).not.toBeNull();
  });

  it('may have an @ in its path, where it names no user', () => {
    expect(endpointFault('http://droplet/@team')).toBeNull();
  });
});
