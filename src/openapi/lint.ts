import { createConfig, lint } from '@redocly/openapi-core';

const RULES = {
  // Paths that differ in their methods, `GET /droplets/name/{name}` and `POST /droplets/{key}/pause`, count as ambiguous too.
  'no-ambiguous-paths': 'off',
  // 404 NOT_FOUND and 405 are the answers where there is no operation. Of schemas, only those that are used are written.
  'no-unused-components': 'off',
} as const;

/** What the linter finds in a document, warnings too, a line each. @param file its path */
export async function problemsOf(file: string): Promise<string[]> {
  const config = await createConfig({ extends: ['recommended-strict'], rules: RULES });
  const problems = await lint({ ref: file, config });
  return problems.map(
    ({ ruleId, message, location }) => `${ruleId}: ${message} ${location.map(({ pointer }) => pointer ?? '').join(' ')}`,
  );
}
