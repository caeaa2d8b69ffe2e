import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InvalidRequestError } from '../../src/common/errors.js';
import { targetUrl } from '../../src/outbound/target-url.js';

const ENDPOINTS = [
  ...['http://droplet:8001', 'http://droplet:8001/', 'https://mesh.example/team/a', 'https://mesh.example/team/a/'],
  ...['http://droplet:8001/..', 'https://mesh.example/team/a/.', 'https://mesh.example/team/a/b/%2e%2e/'],
];

const PIECES = [
  ...[
    '/',
    '/',
    '/',
    '.',
    '..',
    '\\',
    '%2e',
    '%2E',
    '%252e',
    '%2f',
    '%5c',
    '%00',
    '%25',
    '%',
    ';',
    '%3b',
    '?',
    '#',
    '@',
    ':',
    '//',
  ],
  ...[
    'a',
    'evil.com',
    'http:',
    ' ',
    '\t',
    '\r\n',
    '\0',
    'é',
    '。',
    '%c0%ae',
    '%u002e',
    '[',
    ']',
    '2e',
    '32',
    '65',
    '~',
    '{',
    '"',
  ],
];

/** Mostly things that begin like a path, so that a good share is accepted. */
function evilPath(): fc.Arbitrary<string> {
  const mess = fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }).map((pieces) => pieces.join(''));
  return fc.oneof(
    mess,
    mess.map((rest) => `/${rest}`),
    mess.map((rest) => `/a/${rest}`),
  );
}

function join(endpoint: string, path: string): ReturnType<typeof targetUrl> | null {
  try {
    return targetUrl(endpoint, path);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidRequestError);
    return null;
  }
}

/** How far up a careless server would go that decodes each segment twice and cuts its parameters. */
function lowestDepth(pathname: string): number {
  const undo = (text: string): string =>
    text.replace(/%([0-9a-f]{2})/gi, (_all, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  let [depth, lowest] = [0, 0];
  for (const segment of pathname.split('/')) {
    const name = undo(undo(segment)).replace(/;.*$/s, '');
    depth += name === '..' ? -1 : name === '.' || name === '' ? 0 : 1;
    lowest = Math.min(lowest, depth);
  }
  return lowest;
}

/** So many paths, chosen at random: none leads out of its endpoint. */
export function targetUrlContract(paths: number): void {
  describe(`${paths} random paths`, () => {
    it(
      'never lead out of the endpoint',
      () => {
        let accepted = 0;
        fc.assert(
          fc.property(fc.constantFrom(...ENDPOINTS), evilPath(), (endpoint, path) => {
            const target = join(endpoint, path);
            if (target === null) return;
            accepted++;
            const home = new URL(endpoint.replace(/\/$/, ''));
            const prefix = home.pathname.replace(/\/?$/, '/');
            for (const sent of [new URL(target.url), new URL(target.origin + target.path)]) {
              expect(sent.origin).toBe(home.origin);
              expect(sent.pathname.startsWith(prefix)).toBe(true);
              expect(lowestDepth(sent.pathname.slice(prefix.length))).toBeGreaterThanOrEqual(0);
            }
            expect(target.url.endsWith(path)).toBe(true);
          }),
          { numRuns: paths },
        );
        // Were everything refused, the property would say nothing.
        expect(accepted).toBeGreaterThan(5000);
      },
      1.2 * paths,
    );
  });
}
