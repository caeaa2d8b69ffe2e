import { BadSettingError } from './setting.js';

/**
 * Settings whose feature is not built yet, with the one value that asks for nothing of it. Setting one to anything
 * else stops the start: `AUTH_MODE=apikey` must never be ignored.
 */
const UNBUILT: Readonly<Record<string, string | null>> = {
  RETRY_BUDGET_PERCENT: null,
  RETRY_BUDGET_MIN_PER_SECOND: null,
  BREAKER_WINDOW_MS: null,
  BREAKER_MIN_CALLS: null,
  BREAKER_FAILURE_PERCENT: null,
  BREAKER_OPEN_MS: null,
  DROPLET_MAX_WAITING: null,
  RESPONSE_BUFFER_LIMIT: null,
  POLICY_FILE: null,
  AUTH_MODE: 'none',
  API_KEYS_FILE: null,
  JWT_JWKS_URL: null,
  JWT_PUBLIC_KEY: null,
  JWT_ISSUER: null,
  JWT_AUDIENCE: null,
  METRICS_PUBLIC: 'true',
};

/** @throws BadSettingError when a setting asks for a feature that this version does not have */
export function refuseUnbuilt(environment: Readonly<Record<string, string | undefined>>): void {
  for (const [name, harmless] of Object.entries(UNBUILT)) {
    const value = environment[name]?.trim();
    if (value && value.toLowerCase() !== harmless) {
      throw new BadSettingError(name, 'asks for a feature that this version does not have yet: unset it');
    }
  }
}
