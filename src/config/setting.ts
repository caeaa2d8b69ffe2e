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

/** One of the words, in any case; `aliases` maps other spellings to one of them. */
export function oneOf<const T extends string>(
  words: readonly T[],
  fallback: NoInfer<T>,
  aliases: Record<string, NoInfer<T>> = {},
): Setting<T> {
  return setting(fallback, (name, value) => {
    const word = value.toLowerCase();
    const found = words.find((candidate) => candidate === word) ?? aliases[word];
    if (found === undefined) throw new BadSettingError(name, `must be one of ${words.join(', ')}, not "${value}"`);
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
    throw new BadSettingError(name, `must be a number from ${min} to ${max}, not "${value}"`);
  }
  return parsed;
}

/** A whole number within bounds (1 to 2^53 - 1 unless given). */
export function integer(fallback: number, { min = 1, max = Number.MAX_SAFE_INTEGER }: Partial<Bounds> = {}): Setting<number> {
  return setting(fallback, (name, value) => number(name, value, /^\d+$/, { min, max }));
}

/** A duration given in seconds, decimals allowed; the setting holds milliseconds. Zero only if the default is 0. */
export function seconds(fallback: number): Setting<number> {
  const min = fallback === 0 ? 0 : 0.001;
  return setting(fallback * 1000, (name, value) => number(name, value, /^\d+(\.\d+)?$/, { min, max: 1e9 }) * 1000);
}

/** A duration given in hours; the setting holds milliseconds. */
export function hours(fallback: number): Setting<number> {
  return setting(
    fallback * 3_600_000,
    (name, value) => number(name, value, /^\d+(\.\d+)?$/, { min: 0.001, max: 1e6 }) * 3_600_000,
  );
}

/** An http or https URL without userinfo, query or fragment; a trailing slash is dropped. */
export function httpUrl(name: string, value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw new BadSettingError(name, 'must be an http or https URL');
  if (url.username || url.password || url.search || url.hash) {
    throw new BadSettingError(name, 'must be a URL without user, query or fragment');
  }
  return value.replace(/\/+$/, '');
}

/** An http or https URL that may stay unset. */
export const optionalUrl = (): Setting<string | null> => setting<string | null>(null, httpUrl);
