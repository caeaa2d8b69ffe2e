import fc, { type Arbitrary } from 'fast-check';

/** Bytes for one connection, and how they come. */
export interface RawStream {
  readonly pieces: readonly Buffer[];
  readonly pauseMs: number;
  /** We close our side first, or cut the connection when the server is quiet. */
  readonly ending: 'half-close' | 'reset';
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

const LINES = [
  ...[
    'GET /health HTTP/1.1',
    'POST /orchestrator/tasks HTTP/1.1',
    'HEAD / HTTP/1.1',
    'GET /health HTTP/1.0',
    'OPTIONS * HTTP/1.1',
  ],
  ...[
    'GET /health',
    'GET  /health HTTP/1.1',
    'GET /health HTTP/9.9',
    'GET /health HTTP/1.1 x',
    'get /health HTTP/1.1',
    ' GET / HTTP/1.1',
  ],
  ...[
    'GET\t/\tHTTP/1.1',
    'PRI * HTTP/2.0',
    'CONNECT evil:443 HTTP/1.1',
    'GET http://evil/health HTTP/1.1',
    'GET //health HTTP/1.1',
  ],
  ...[
    'GET /\0 HTTP/1.1',
    'GET /é HTTP/1.1',
    'GET /%zz HTTP/1.1',
    'BREW /pot HTCPCP/1.0',
    'SOURCE / ICE/1.0',
    '',
    'GET',
    '\0\0\0\0',
    'GET # HTTP/1.1',
  ],
  ...[
    `GET /${'a'.repeat(20_000)} HTTP/1.1`,
    `${'G'.repeat(9000)} / HTTP/1.1`,
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'GET health HTTP/1.1',
  ],
];

const HEADERS = [
  ...['Host: test', 'Host: test', 'Host: test', 'Content-Type: application/json', 'Connection: close', 'Connection: keep-alive'],
  ...[
    'Content-Length: 5',
    'Content-Length: 0',
    'Content-Length: -1',
    'Content-Length: 5, 6',
    'Content-Length: 99999999999999999999',
  ],
  ...['Content-Length: 0x5', 'Content-Length: ', 'Content-Length:\t2', 'Content-Length : 2', 'Transfer-Encoding: chunked'],
  ...[
    'Transfer-Encoding: gzip, chunked',
    'Transfer-Encoding: chunked, identity',
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding:\x0bchunked',
  ],
  ...[
    'No colon',
    ': no name',
    ' folded: x',
    'X: a\0b',
    'X: a\rb',
    'X-É: y',
    'Expect: 100-continue',
    'Expect: nonsense',
    'Upgrade: websocket',
  ],
  ...[
    'Connection: Upgrade',
    'Connection: Upgrade, HTTP2-Settings',
    'X-Request-ID: a b',
    `X-Long: ${'v'.repeat(20_000)}`,
    'Trailer: X',
    'TE: trailers',
  ],
  Array.from({ length: 2500 }, (_, index) => `X-${index}: y`).join('\r\n'),
];

const BODIES = [
  ...['', '{}', '[1,2', '{"droplet_name":"echo","path":"/echo"}', '2\r\n{}\r\n0\r\n\r\n', '5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n'],
  ...[
    'zz\r\n{}\r\n',
    '-1\r\n',
    'ffffffffffffffffff\r\n{}',
    '2;ext="a\r\nb"\r\n{}\r\n0\r\n\r\n',
    '2{}0',
    '2\r\n{}0\r\n\r\n',
    '0\r\nX: y\r\n\r\n',
  ],
  ...[
    '0\r\n: bad\r\n\r\n',
    '2\n{}\n0\n\n',
    '\r\n\r\n\r\n',
    '0x2\r\n{}\r\n0\r\n\r\n',
    `${'0'.repeat(5000)}2\r\n{}\r\n0\r\n\r\n`,
    `2;${'x'.repeat(20_000)}\r\n`,
  ],
  'x'.repeat(70_000),
];

/** One request, well-formed or not. */
function message(): Arbitrary<Buffer> {
  const end = fc.constantFrom('\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r');
  const line = fc.oneof(fc.constantFrom(...LINES.slice(0, 5)), fc.constantFrom(...LINES));
  return fc
    .tuple(line, fc.array(fc.constantFrom(...HEADERS), { maxLength: 5 }), fc.constantFrom(...BODIES), end)
    .map(([first, headers, body, eol]) => bytes([first, ...headers, '', body].join(eol)));
}

/** What a broken client or wire does to bytes. */
function damaged(whole: Arbitrary<Buffer>): Arbitrary<Buffer> {
  return fc
    .tuple(whole, fc.nat(), fc.uint8Array({ maxLength: 4 }), fc.constantFrom('cut', 'insert', 'replace'))
    .map(([given, at, more, how]) => {
      const place = given.length === 0 ? 0 : at % given.length;
      if (how === 'cut') return given.subarray(0, place);
      return Buffer.concat([given.subarray(0, place), more, given.subarray(how === 'insert' ? place : place + more.length)]);
    });
}

/** One connection's bytes: a request, several of them, some broken, or noise. */
export function rawStream(): Arbitrary<RawStream> {
  const noise = fc.uint8Array({ minLength: 1, maxLength: 100 }).map((given) => Buffer.from(given));
  const part = fc.oneof(
    { weight: 4, arbitrary: message() },
    { weight: 3, arbitrary: damaged(message()) },
    { weight: 1, arbitrary: noise },
  );
  return fc.record({
    pieces: fc
      .tuple(fc.array(part, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(), { maxLength: 4 }))
      .map(([parts, cuts]) => split(Buffer.concat(parts), cuts)),
    pauseMs: fc.constantFrom(0, 0, 1, 10),
    ending: fc.constantFrom('half-close', 'reset'),
  });
}

function split(whole: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)), whole.length].sort((a, b) => a - b);
  return places.slice(1).map((end, index) => whole.subarray(places[index], end));
}
