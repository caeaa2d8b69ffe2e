import { generateKeyPairSync } from 'node:crypto';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { BadSettingError } from './setting.js';
import { parseSettings, SETTINGS } from './settings.js';

const MIB = 1024 * 1024;

/** The one line that stops the start. */
function refusal(environment: Record<string, string>): string {
  try {
    parseSettings(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(BadSettingError);
    return (error as Error).message;
  }
  throw new Error(`accepted ${JSON.stringify(environment)}`);
}

describe('defaults', () => {
  it('are those of the contract when nothing is set', () => {
    expect(parseSettings({})).toEqual({
      HOST: '0.0.0.0',
      PORT: 8001,
      PUBLIC_URL: 'http://localhost:8001',
      SERVICE_NAME: 'orchestrator',
      DROPLET_ID: 2,
      STEWARD: null,
      ENVIRONMENT: 'development',
      LOG_LEVEL: 'info',
      REGISTRY_URL: null,
      REGISTRY_TOKEN: null,
      REGISTRY_SYNC_INTERVAL: 60_000,
      REGISTRY_TIMEOUT: 5000,
      REGISTRY_CACHE_EXPIRY: 300_000,
      REGISTRY_MISSING_KEEP: 86_400_000,
      CACHE_DIR: path.resolve('data'),
      DATABASE_URL: path.resolve('data/orchestrator.db'),
      TASK_TIMEOUT: 30_000,
      TASK_ATTEMPT_TIMEOUT: 10_000,
      TASK_MAX_RETRIES: 3,
      RETRY_BACKOFF_BASE_MS: 1000,
      RETRY_BACKOFF_MAX_MS: 4000,
      RETRY_JITTER: 'full',
      ASYNC_TASK_TIMEOUT: 600_000,
      ASYNC_ATTEMPT_TIMEOUT: 10_000,
      ASYNC_MAX_RETRIES: 15,
      ASYNC_BACKOFF_BASE_MS: 1000,
      ASYNC_BACKOFF_MAX_MS: 60_000,
      DROPLET_MAX_IN_FLIGHT: 64,
      MAX_IN_FLIGHT: 1024,
      QUEUE_LIMIT: 1_000_000,
      TASK_MAX_HISTORY: 1_000_000,
      TASK_RETENTION_HOURS: 168 * 3_600_000,
      STORAGE_LIMIT: 10 * 1024 * MIB,
      BODY_LIMIT: MIB,
      RESPONSE_LIMIT: 10 * MIB,
      STORED_RESPONSE_LIMIT: 256 * 1024,
      CALLBACK_SECRET: [],
      CALLBACK_ALLOW_PRIVATE: false,
      RETRY_BUDGET_PERCENT: 20,
      RETRY_BUDGET_MIN_PER_SECOND: 10,
      BREAKER_WINDOW_MS: 10_000,
      BREAKER_MIN_CALLS: 20,
      BREAKER_FAILURE_PERCENT: 50,
      BREAKER_OPEN_MS: 30_000,
      DROPLET_MAX_WAITING: 256,
      RESPONSE_BUFFER_LIMIT: 256 * MIB,
      POLICY_FILE: null,
      AUTH_MODE: 'none',
      API_KEYS_FILE: null,
      JWT_JWKS_URL: null,
      JWT_PUBLIC_KEY: null,
      JWT_ISSUER: null,
      JWT_AUDIENCE: null,
      METRICS_PUBLIC: true,
      OTEL_EXPORTER_OTLP_ENDPOINT: null,
      OTEL_EXPORTER_OTLP_HEADERS: null,
      OTEL_SERVICE_NAME: null,
      OTEL_TRACES_SAMPLER: 'parentbased_always_on',
      OTEL_TRACES_SAMPLER_ARG: 1,
      SHUTDOWN_DELAY: 0,
      SHUTDOWN_GRACE: 20_000,
    });
  });

  it.each(Object.keys(SETTINGS))('an empty %s counts as unset', (name) => {
    expect(parseSettings({ [name]: '' })).toEqual(parseSettings({}));
    expect(parseSettings({ [name]: ' \t\n' })).toEqual(parseSettings({}));
  });

  it('a name that nobody knows is ignored', () => {
    expect(parseSettings({ NO_SUCH_SETTING: 'x', PATH: '/bin', port: '1' })).toEqual(parseSettings({}));
  });
});

describe('values', () => {
  it.each([
    ['HOST', '::1', '::1'],
    ['PORT', '1', 1],
    ['PORT', '65535', 65_535],
    ['PORT', ' 9000 ', 9000],
    ['SERVICE_NAME', 'router', 'router'],
    ['STEWARD', 'Ana', 'Ana'],
    ['ENVIRONMENT', 'Production', 'production'],
    ['PUBLIC_URL', 'https://o.example/base/', 'https://o.example/base'],
    ['REGISTRY_URL', 'HTTP://registry:8000//', 'HTTP://registry:8000'],
    ['REGISTRY_TOKEN', 'a.b-c_d~e+f/g=', 'a.b-c_d~e+f/g='],
    ['RETRY_JITTER', 'NONE', 'none'],
    ['DATABASE_URL', ':memory:', ':memory:'],
    ['DATABASE_URL', '/srv/o.db', '/srv/o.db'],
    ['DATABASE_URL', 'postgres://h/d', 'postgres://h/d'],
    ['DATABASE_URL', 'POSTGRESQL://h/d', 'POSTGRESQL://h/d'],
    ['DATABASE_URL', './c:d.db', path.resolve('c:d.db')],
    ['CACHE_DIR', '/srv/cache', '/srv/cache'],
    ['TASK_MAX_RETRIES', '0', 1],
    ['TASK_MAX_RETRIES', '1', 1],
    ['TASK_MAX_RETRIES', '50', 50],
    ['ASYNC_MAX_RETRIES', '0', 1],
    ['ASYNC_MAX_RETRIES', '50', 50],
    ['STORED_RESPONSE_LIMIT', '10240', 10_240],
    ['CALLBACK_ALLOW_PRIVATE', 'TRUE', true],
    ['CALLBACK_ALLOW_PRIVATE', 'False', false],
    ['TASK_RETENTION_HOURS', '0.5', 1_800_000],
    ['SHUTDOWN_DELAY', '0', 0],
    ['REGISTRY_TIMEOUT', '0.001', 1],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://collector:4318/', 'http://collector:4318'],
    ['OTEL_TRACES_SAMPLER', 'TraceIdRatio', 'traceidratio'],
    ['OTEL_TRACES_SAMPLER_ARG', '0', 0],
    ['OTEL_TRACES_SAMPLER_ARG', '.25', 0.25],
  ] as const)('%s=%s', (name, text, value) => {
    expect(parseSettings({ [name]: text })[name]).toBe(value);
  });

  const durations = [
    ...['REGISTRY_SYNC_INTERVAL', 'REGISTRY_TIMEOUT', 'REGISTRY_CACHE_EXPIRY', 'REGISTRY_MISSING_KEEP'],
    ...[
      'TASK_TIMEOUT',
      'TASK_ATTEMPT_TIMEOUT',
      'ASYNC_TASK_TIMEOUT',
      'ASYNC_ATTEMPT_TIMEOUT',
      'SHUTDOWN_DELAY',
      'SHUTDOWN_GRACE',
    ],
  ] as 'TASK_TIMEOUT'[];

  it.each(durations)('%s is in seconds, decimals allowed, and is kept in whole milliseconds', (name) => {
    expect(parseSettings({ [name]: '2' })[name]).toBe(2000);
    expect(parseSettings({ [name]: '0.25' })[name]).toBe(250);
    expect(parseSettings({ [name]: '1.1' })[name]).toBe(1100);
    expect(parseSettings({ [name]: '1.001' })[name]).toBe(1001);
  });

  it.each([
    ...['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].map((level) => [level, level]),
    ...[
      ['INFO', 'info'],
      ['Debug', 'debug'],
      ['WARNING', 'warn'],
      ['warning', 'warn'],
      ['Critical', 'fatal'],
      ['CRITICAL', 'fatal'],
    ],
  ])('LOG_LEVEL=%s is %s', (text, level) => {
    expect(parseSettings({ LOG_LEVEL: text }).LOG_LEVEL).toBe(level);
  });

  it.each([
    ['whsec_c2VjcmV0', ['whsec_c2VjcmV0']],
    ['whsec_c2VjcmV0 whsec_bmV3ZXI=', ['whsec_c2VjcmV0', 'whsec_bmV3ZXI=']],
    [' whsec_c2VjcmV0\twhsec_bmV3ZXI= ', ['whsec_c2VjcmV0', 'whsec_bmV3ZXI=']],
  ])('CALLBACK_SECRET=%j', (text, secrets) => {
    expect(parseSettings({ CALLBACK_SECRET: text }).CALLBACK_SECRET).toEqual(secrets);
  });

  it('PUBLIC_URL follows PORT unless it is given', () => {
    expect(parseSettings({ PORT: '9000' }).PUBLIC_URL).toBe('http://localhost:9000');
    expect(parseSettings({ PORT: '9000', PUBLIC_URL: 'http://o' }).PUBLIC_URL).toBe('http://o');
  });

  it('REGISTRY_CACHE_DIR is another name of CACHE_DIR, which wins', () => {
    expect(parseSettings({ REGISTRY_CACHE_DIR: '/a' }).CACHE_DIR).toBe('/a');
    expect(parseSettings({ REGISTRY_CACHE_DIR: '/a', CACHE_DIR: '/b' }).CACHE_DIR).toBe('/b');
    expect(parseSettings({ REGISTRY_CACHE_DIR: '/a', CACHE_DIR: '' }).CACHE_DIR).toBe('/a');
  });
});

describe('a value that cannot be used stops the start with one line that names it', () => {
  const integers = [
    ...['PORT', 'DROPLET_ID', 'TASK_MAX_RETRIES', 'RETRY_BACKOFF_BASE_MS', 'RETRY_BACKOFF_MAX_MS', 'TASK_MAX_HISTORY'],
    ...['STORAGE_LIMIT', 'BODY_LIMIT', 'RESPONSE_LIMIT', 'STORED_RESPONSE_LIMIT', 'QUEUE_LIMIT', 'ASYNC_MAX_RETRIES'],
    ...['ASYNC_BACKOFF_BASE_MS', 'ASYNC_BACKOFF_MAX_MS', 'DROPLET_MAX_IN_FLIGHT', 'MAX_IN_FLIGHT'],
  ];
  const decimals = [
    ...['REGISTRY_SYNC_INTERVAL', 'REGISTRY_TIMEOUT', 'REGISTRY_CACHE_EXPIRY', 'REGISTRY_MISSING_KEEP', 'TASK_TIMEOUT'],
    ...['TASK_ATTEMPT_TIMEOUT', 'TASK_RETENTION_HOURS', 'SHUTDOWN_DELAY', 'SHUTDOWN_GRACE'],
    ...['ASYNC_TASK_TIMEOUT', 'ASYNC_ATTEMPT_TIMEOUT'],
  ];
  const noNumbers = [
    '-1',
    '+1',
    '1e3',
    '0x10',
    'NaN',
    'Infinity',
    'ten',
    '1,5',
    '1_000',
    '1 000',
    '99999999999999999999',
    '1\n2',
    '٣',
  ];
  const zeroAllowed = new Set(['TASK_MAX_RETRIES', 'ASYNC_MAX_RETRIES', 'SHUTDOWN_DELAY']);

  it.each([
    ...integers.flatMap((name) => [...noNumbers, '1.5', '1.0'].map((text) => [name, text])),
    ...decimals.flatMap((name) => [...noNumbers, '1.', '.5', '1.2.3'].map((text) => [name, text])),
    ...[...integers, ...decimals].filter((name) => !zeroAllowed.has(name)).map((name) => [name, '0']),
    ...[
      ['PORT', '65536'],
      ['TASK_MAX_RETRIES', '51'],
      ['DROPLET_ID', '0.0'],
      ['STORAGE_LIMIT', '1000'],
      ['ASYNC_MAX_RETRIES', '51'],
      ['STORED_RESPONSE_LIMIT', '10239'],
    ],
    ...[
      ['LOG_LEVEL', 'loud'],
      ['LOG_LEVEL', 'constructor'],
      ['LOG_LEVEL', '__proto__'],
      ['LOG_LEVEL', 'a\nb'],
    ],
    ...[
      ['ENVIRONMENT', 'test'],
      ['ENVIRONMENT', 'toString'],
      ['RETRY_JITTER', 'half'],
      ['RETRY_JITTER', 'valueOf'],
      ['OTEL_TRACES_SAMPLER', 'jaeger_remote'],
      ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4317'],
    ],
    ...['1.1', '-0.1', 'half', '1e-1', '.', ''.padEnd(3, '1')].map((text) => ['OTEL_TRACES_SAMPLER_ARG', text]),
    ...['1', '0', 'yes', 'on', 'truth'].map((text) => ['CALLBACK_ALLOW_PRIVATE', text]),
    ...['secret', 'whsec_', 'whsec_a b c', 'WHSEC_c2VjcmV0', 'whsec_%%%%', 'whsec_c2VjcmV0,whsec_c2VjcmV0'].map((text) => [
      'CALLBACK_SECRET',
      text,
    ]),
    ['CALLBACK_SECRET', 'whsec_c2VjcmV0 whsec_c2VjcmV0 whsec_c2VjcmV0'],
    ...['PUBLIC_URL', 'REGISTRY_URL'].flatMap((name) =>
      [
        ...[
          'registry:8000',
          'ftp://r',
          'http://',
          'http:r',
          '//r',
          'http://a b',
          'http://a\nb',
          'http:\\\\r',
          'http://r\\x',
          'http://r:99999',
        ],
        ...['http://r/?', 'http://r/#', 'http://r?a=1', 'http://r#a', 'none', '/r', 'file:///r'],
      ].map((text) => [name, text]),
    ),
    ...['mysql://h/d', 'sqlite:///o.db', 'http://h', 'postgres://[', 'postgresql+asyncpg://h/d'].map((text) => [
      'DATABASE_URL',
      text,
    ]),
  ] as [string, string][])('%s=%j', (name, text) => {
    const line = refusal({ [name]: text });
    expect(line).toMatch(new RegExp(`^${name} [^\\n\\r]+$`));
  });

  it.each([
    ['REGISTRY_URL', 'http://user:hunter2@registry'],
    ['PUBLIC_URL', 'http://hunter2@o'],
    ['REGISTRY_URL', 'http://registry/?key=hunter2'],
    ['REGISTRY_TOKEN', 'hunter2 with spaces'],
    ['REGISTRY_TOKEN', 'hunter2\r\nX-Injected: 1'],
    ['REGISTRY_TOKEN', 'hunter2ü'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'hunter2'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a b=hunter2'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'x=hunter2%'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'x=hunter2%0d%0aY:1'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'x=hunter2,'],
    ['DATABASE_URL', 'postgres://u:hunter2@['],
    ['DATABASE_URL', 'mysql://u:hunter2@h/d'],
    ['CALLBACK_SECRET', 'hunter2'],
    ['CALLBACK_SECRET', 'whsec_hunter2!'],
    ['JWT_PUBLIC_KEY', 'hunter2'],
  ])('never shows a secret: %s', (name, text) => {
    const line = refusal({ [name]: text });
    expect(line).toMatch(new RegExp(`^${name} [^\\n\\r]+$`));
    expect(line).not.toContain('hunter2');
  });
});

describe('who may ask', () => {
  const { publicKey } = generateKeyPairSync('ed25519');
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const claims = { AUTH_MODE: 'jwt', JWT_ISSUER: 'https://issuer/', JWT_AUDIENCE: 'orchestrator' };

  it('is everybody unless AUTH_MODE says otherwise', () => {
    expect(parseSettings({ AUTH_MODE: 'None', METRICS_PUBLIC: ' true ', JWT_ISSUER: ' ' })).toEqual(parseSettings({}));
    expect(parseSettings({ AUTH_MODE: 'APIKEY', API_KEYS_FILE: 'keys.json' })).toMatchObject({ AUTH_MODE: 'apikey' });
  });

  it.each([
    ['AUTH_MODE', { AUTH_MODE: 'basic' }],
    ['API_KEYS_FILE', { AUTH_MODE: 'apikey' }],
    ['JWT_ISSUER', { ...claims, JWT_PUBLIC_KEY: pem, JWT_ISSUER: '' }],
    ['JWT_AUDIENCE', { ...claims, JWT_PUBLIC_KEY: pem, JWT_AUDIENCE: '' }],
    ['JWT_JWKS_URL', claims],
    ['JWT_JWKS_URL', { ...claims, JWT_PUBLIC_KEY: pem, JWT_JWKS_URL: 'https://issuer/jwks' }],
    ['JWT_JWKS_URL', { JWT_JWKS_URL: 'issuer/jwks' }],
    ['JWT_JWKS_URL', { JWT_JWKS_URL: 'https://issuer/jwks#here' }],
    ['METRICS_PUBLIC', { METRICS_PUBLIC: 'no' }],
  ])('%s stops the start when it leaves a mode without what it needs: %j', (name, environment: Record<string, string>) => {
    expect(refusal(environment)).toMatch(new RegExp(`^${name} [^\\n\\r]+$`));
  });

  it('a public key may have its line feeds written as \\n, as an environment file has them', () => {
    const asOneLine = pem.trim().replaceAll('\n', '\\n');
    expect(parseSettings({ ...claims, JWT_PUBLIC_KEY: asOneLine }).JWT_PUBLIC_KEY).toBe(pem.trim());
  });

  it('a private key is not taken for a public one', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const line = refusal({ JWT_PUBLIC_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() });
    expect(line).toBe('JWT_PUBLIC_KEY must be a public key in PEM');
  });

  it('the URL of the keys is kept to the letter', () => {
    const url = 'https://issuer/keys/?p=policy';
    expect(parseSettings({ ...claims, JWT_JWKS_URL: url }).JWT_JWKS_URL).toBe(url);
  });
});

it('headers for a collector are pairs, their values percent-encoded', () => {
  const { OTEL_EXPORTER_OTLP_HEADERS } = parseSettings({
    OTEL_EXPORTER_OTLP_HEADERS: ' Authorization = Bearer%20a=, x-b=, x-c=%2c ',
  });
  expect(OTEL_EXPORTER_OTLP_HEADERS).toEqual({ authorization: 'Bearer a=', 'x-b': '', 'x-c': ',' });
});

it('every setting of the contract is built', () => {
  expect(Object.keys(SETTINGS)).toHaveLength(62);
});
