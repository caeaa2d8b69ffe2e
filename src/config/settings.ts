import path from 'node:path';
import {
  BadSettingError,
  callbackSecrets,
  flag,
  hours,
  integer,
  oneOf,
  optionalExactUrl,
  optionalHeaders,
  optionalPublicKey,
  optionalText,
  optionalToken,
  optionalUrl,
  seconds,
  share,
  text,
  type Setting,
} from './setting.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** Which traces are kept, by OpenTelemetry's names. */
const SAMPLERS = [
  ...(['always_on', 'always_off', 'traceidratio'] as const),
  ...(['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const),
] as const;

/** Every setting that is built, with its default and its bounds; contract §7. */
export const SETTINGS = {
  HOST: text('0.0.0.0'),
  PORT: integer(8001, { max: 65_535 }),
  PUBLIC_URL: optionalUrl(),
  SERVICE_NAME: text('orchestrator'),
  DROPLET_ID: integer(2),
  STEWARD: optionalText(),
  ENVIRONMENT: oneOf(['development', 'staging', 'production'], 'development'),
  LOG_LEVEL: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info', {
    warning: 'warn',
    critical: 'fatal',
  }),
  REGISTRY_URL: optionalUrl(),
  REGISTRY_TOKEN: optionalToken(),
  REGISTRY_SYNC_INTERVAL: seconds(60),
  REGISTRY_TIMEOUT: seconds(5),
  REGISTRY_CACHE_EXPIRY: seconds(300),
  REGISTRY_MISSING_KEEP: seconds(86_400),
  CACHE_DIR: optionalText(),
  REGISTRY_CACHE_DIR: optionalText(),
  DATABASE_URL: text('./data/orchestrator.db'),
  TASK_TIMEOUT: seconds(30),
  TASK_ATTEMPT_TIMEOUT: seconds(10),
  TASK_MAX_RETRIES: integer(3, { min: 0, max: 50 }),
  RETRY_BACKOFF_BASE_MS: integer(1000, { max: 3_600_000 }),
  RETRY_BACKOFF_MAX_MS: integer(4000, { max: 3_600_000 }),
  RETRY_JITTER: oneOf(['full', 'none'], 'full'),
  ASYNC_TASK_TIMEOUT: seconds(600),
  ASYNC_ATTEMPT_TIMEOUT: seconds(10),
  ASYNC_MAX_RETRIES: integer(15, { min: 0, max: 50 }),
  ASYNC_BACKOFF_BASE_MS: integer(1000, { max: 3_600_000 }),
  ASYNC_BACKOFF_MAX_MS: integer(60_000, { max: 3_600_000 }),
  RETRY_BUDGET_PERCENT: integer(20, { max: 1000 }),
  RETRY_BUDGET_MIN_PER_SECOND: integer(10),
  BREAKER_WINDOW_MS: integer(10_000, { max: 3_600_000 }),
  BREAKER_MIN_CALLS: integer(20),
  BREAKER_FAILURE_PERCENT: integer(50, { max: 100 }),
  BREAKER_OPEN_MS: integer(30_000, { max: 3_600_000 }),
  DROPLET_MAX_IN_FLIGHT: integer(64),
  DROPLET_MAX_WAITING: integer(256),
  MAX_IN_FLIGHT: integer(1024),
  QUEUE_LIMIT: integer(1_000_000),
  TASK_MAX_HISTORY: integer(1_000_000),
  TASK_RETENTION_HOURS: hours(168),
  STORAGE_LIMIT: integer(10 * GIB, { min: MIB }),
  BODY_LIMIT: integer(MIB, { max: 256 * MIB }),
  RESPONSE_BUFFER_LIMIT: integer(256 * MIB, { min: MIB }),
  POLICY_FILE: optionalText(),
  RESPONSE_LIMIT: integer(10 * MIB, { max: 256 * MIB }),
  STORED_RESPONSE_LIMIT: integer(256 * KIB, { min: 10 * KIB, max: 256 * MIB }),
  CALLBACK_SECRET: callbackSecrets(),
  CALLBACK_ALLOW_PRIVATE: flag(false),
  AUTH_MODE: oneOf(['none', 'apikey', 'jwt'], 'none'),
  API_KEYS_FILE: optionalText(),
  JWT_JWKS_URL: optionalExactUrl(),
  JWT_PUBLIC_KEY: optionalPublicKey(),
  JWT_ISSUER: optionalText(),
  JWT_AUDIENCE: optionalText(),
  METRICS_PUBLIC: flag(true),
  OTEL_EXPORTER_OTLP_ENDPOINT: optionalUrl(),
  OTEL_EXPORTER_OTLP_HEADERS: optionalHeaders(),
  OTEL_SERVICE_NAME: optionalText(),
  OTEL_TRACES_SAMPLER: oneOf(SAMPLERS, 'parentbased_always_on'),
  OTEL_TRACES_SAMPLER_ARG: share(1),
  SHUTDOWN_DELAY: seconds(0),
  SHUTDOWN_GRACE: seconds(20),
} satisfies Record<string, Setting<unknown>>;

type Values = { readonly [K in keyof typeof SETTINGS]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never };

interface Fields extends Omit<Values, 'PUBLIC_URL' | 'CACHE_DIR' | 'REGISTRY_CACHE_DIR'> {
  /** What droplets and the Registry are told to call us by, without a trailing slash. */
  readonly PUBLIC_URL: string;
  /** The folder of the Registry's cache file, absolute. */
  readonly CACHE_DIR: string;
}

/**
 * The settings of one process, typed and validated once. Durations are milliseconds, sizes bytes.
 * A class, so that it is its own injection token; its fields are those of the table above.
 */
export class Settings extends (class {} as new () => Fields) {}

/**
 * Settings from the texts of an environment. An empty text counts as unset, names that are not ours are ignored.
 * @throws BadSettingError for the first value that cannot be used
 */
export function parseSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const values = Object.entries<Setting<unknown>>(SETTINGS).map(([name, setting]) => {
    const value = environment[name]?.trim();
    return [name, value ? setting.parse(name, value) : setting.fallback] as const;
  });
  return derive(Object.fromEntries(values) as Values);
}

function derive({ REGISTRY_CACHE_DIR, ...values }: Values): Settings {
  requireCredentials(values);
  return {
    ...values,
    PUBLIC_URL: values.PUBLIC_URL ?? `http://localhost:${values.PORT}`,
    CACHE_DIR: path.resolve(values.CACHE_DIR ?? REGISTRY_CACHE_DIR ?? './data'),
    DATABASE_URL: databaseUrl(values.DATABASE_URL),
    TASK_MAX_RETRIES: Math.max(1, values.TASK_MAX_RETRIES),
    ASYNC_MAX_RETRIES: Math.max(1, values.ASYNC_MAX_RETRIES),
  };
}

/** An AUTH_MODE needs what it checks callers with. @throws BadSettingError */
function requireCredentials(values: Omit<Values, 'REGISTRY_CACHE_DIR'>): void {
  const { AUTH_MODE, API_KEYS_FILE, JWT_JWKS_URL, JWT_PUBLIC_KEY } = values;
  if (AUTH_MODE === 'apikey' && API_KEYS_FILE === null)
    throw new BadSettingError('API_KEYS_FILE', 'is needed for AUTH_MODE=apikey');
  if (AUTH_MODE !== 'jwt') return;
  for (const name of ['JWT_ISSUER', 'JWT_AUDIENCE'] as const) {
    if (values[name] === null) throw new BadSettingError(name, 'is needed for AUTH_MODE=jwt');
  }
  if ((JWT_JWKS_URL === null) === (JWT_PUBLIC_KEY === null)) {
    throw new BadSettingError('JWT_JWKS_URL', 'or JWT_PUBLIC_KEY is needed for AUTH_MODE=jwt, one of them');
  }
}

/** The path of a file, or a server; the message shows nothing of it, for it may hold a password. */
function databaseUrl(url: string): string {
  if (url === ':memory:') return url;
  if (/^postgres(ql)?:\/\//i.test(url) && URL.canParse(url)) return url;
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(url))
    throw new BadSettingError('DATABASE_URL', 'must be the path of a file, or postgres://…');
  return path.resolve(url);
}
