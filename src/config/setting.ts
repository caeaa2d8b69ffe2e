import { createPublicKey } from 'node:crypto';

/** Thrown for a setting that cannot be used; the message is one line that begins with the setting's name. */
export class BadSettingError extends Error {
  constructor(name: string, reason: string) {
    super(`${name} ${reason}`);
    this.name = 'BadSettingError';
  }
}

/** How one setting is read: its value from the text, or its default when the text is absent. */
export interface Setting<T> {
  parse(name: string, text: string): T;
  readonly fallback: T;
}

const setting = <T>(fallback: T, parse: Setting<T>['parse']): Setting<T> => ({ fallback, parse });

/** Any text. */
export const text = (fallback: string): Setting<string> => setting(fallback, (_name, value) => value);

/** Text that may stay unset. */
export const optionalText = (): Setting<string | null> => setting<string | null>(null, (_name, value) => value);

/** What a header can carry; may stay unset, and no message ever shows it. */
export const optionalToken = (): Setting<string | null> =>
  setting<string | null>(null, (name, value) => {
    if (!/^[\x21-\x7e]+$/.test(value)) throw new BadSettingError(name, 'must be printable ASCII without spaces');
    return value;
  });

/** One of the words, in any case; `aliases` maps other spellings to one of them. */
export function oneOf<const T extends string>(
  words: readonly T[],
  fallback: NoInfer<T>,
  aliases: Record<string, NoInfer<T>> = {},
): Setting<T> {
  const spellings = new Map<string, T>([...words.map((word) => [word, word] as const), ...Object.entries(aliases)]);
  return setting(fallback, (name, value) => {
    const found = spellings.get(value.toLowerCase());
    if (found === undefined) throw new BadSettingError(name, `must be one of ${words.join(', ')}, not ${JSON.stringify(value)}`);
    return found;
  });
}

interface Bounds {
  readonly min: number;
  readonly max: number;
}

function number(name: string, value: string, pattern: RegExp, { min, max }: Bounds): number {
  const parsed = pattern.test(value) ? Number(value) : Number.NaN;
  if (!(parsed >= min && parsed <= max)) {
    throw new BadSettingError(name, `must be a number from ${min} to ${max}, not ${JSON.stringify(value)}`);
  }
  return parsed;
}

/** A whole number within bounds (1 to 2^53 - 1 unless given). */
export function integer(fallback: number, { min = 1, max = Number.MAX_SAFE_INTEGER }: Partial<Bounds> = {}): Setting<number> {
  return setting(fallback, (name, value) => number(name, value, /^\d+$/, { min, max }));
}

const HOUR_MS = 3_600_000;

/** A duration given in seconds, decimals allowed; the setting holds milliseconds. Zero only if the default is 0. */
export function seconds(fallback: number): Setting<number> {
  const min = fallback === 0 ? 0 : 0.001;
  return setting(fallback * 1000, (name, value) => Math.round(number(name, value, /^\d+(\.\d+)?$/, { min, max: 1e9 }) * 1000));
}

/** A duration given in hours, decimals allowed; the setting holds milliseconds. */
export function hours(fallback: number): Setting<number> {
  const bounds = { min: 0.001, max: 1e6 };
  return setting(fallback * HOUR_MS, (name, value) => Math.round(number(name, value, /^\d+(\.\d+)?$/, bounds) * HOUR_MS));
}

/** An http or https URL without userinfo, query or fragment; a trailing slash is dropped. */
function httpUrl(name: string, value: string): string {
  // URL itself would also take `http:host`, and drop tabs and line feeds.
  const url = /^https?:\/\/[^\s\\]+$/i.test(value) && URL.canParse(value) ? new URL(value) : undefined;
  if (!url) throw new BadSettingError(name, 'must be an http or https URL');
  if (url.username || url.password || /[?#]/.test(value)) {
    throw new BadSettingError(name, 'must be a URL without user, query or fragment');
  }
  return value.replace(/\/+$/, '');
}

/** An http or https URL that may stay unset. */
export const optionalUrl = (): Setting<string | null> => setting<string | null>(null, httpUrl);

/** An http or https URL that is called as it was written, query and trailing slash included; may stay unset. */
export const optionalExactUrl = (): Setting<string | null> =>
  setting<string | null>(null, (name, value) => {
    httpUrl(name, value.replace(/\?[^#]*$/, ''));
    return value;
  });

/** A public key in PEM that may stay unset; in an environment file its line feeds may be written as \\n. No message ever shows it. */
export const optionalPublicKey = (): Setting<string | null> =>
  setting<string | null>(null, (name, value) => {
    const pem = value.replaceAll('\\n', '\n');
    // createPublicKey would take a private key too, and nobody should leave one here.
    if (!/^-----BEGIN (RSA )?PUBLIC KEY-----/.test(pem) || !isKey(pem))
      throw new BadSettingError(name, 'must be a public key in PEM');
    return pem;
  });

function isKey(pem: string): boolean {
  try {
    createPublicKey(pem);
    return true;
  } catch {
    return false;
  }
}

/** true or false, in any case. */
export const flag = (fallback: boolean): Setting<boolean> =>
  setting(fallback, (name, value) => {
    const word = value.toLowerCase();
    if (word !== 'true' && word !== 'false') throw new BadSettingError(name, 'must be true or false');
    return word === 'true';
  });

const CALLBACK_SECRET = /^whsec_[A-Za-z0-9+/]{4,}={0,2}$/;

/** The secrets of Standard Webhooks, `whsec_` and base64; two with a space between while one replaces the other. */
export const callbackSecrets = (): Setting<readonly string[]> =>
  setting<readonly string[]>([], (name, value) => {
    const secrets = value.split(/\s+/);
    if (secrets.length > 2 || !secrets.every((secret) => CALLBACK_SECRET.test(secret))) {
      throw new BadSettingError(name, 'must be one or two secrets of the form whsec_<base64>, with a space between');
    }
    return secrets;
  });

const HEADER_NAME = /^[!#$%&'*+.^_`|~A-Za-z0-9-]+$/;

/** Headers as OpenTelemetry writes them, `name=value,name=value` with percent-encoded values; no message ever shows one. */
export const optionalHeaders = (): Setting<Readonly<Record<string, string>> | null> =>
  setting<Readonly<Record<string, string>> | null>(null, (name, value) =>
    Object.fromEntries(value.split(',').map((pair) => headerOf(name, pair.trim()))),
  );

function headerOf(setting: string, pair: string): [name: string, value: string] {
  const [, name = '', encoded = ''] = /^([^=\s]+)\s*=\s*(.*)$/.exec(pair) ?? [];
  const value = decoded(encoded);
  if (HEADER_NAME.test(name) && value !== null && /^[\x20-\x7e]*$/.test(value)) return [name.toLowerCase(), value];
  throw new BadSettingError(setting, 'must be name=value pairs with commas between, their values percent-encoded');
}

function decoded(value: string): string | null {
  try {
    return decodeURIComponent(value);
  } catch {
    return null;
  }
}

/** A share, from 0 to 1. */
export const share = (fallback: number): Setting<number> =>
  setting(fallback, (name, value) => number(name, value, /^\d*\.?\d+$/, { min: 0, max: 1 }));
