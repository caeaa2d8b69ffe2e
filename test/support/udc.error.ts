import { expect } from '@jest/globals';

interface Answered {
  readonly status: number;
  readonly headers: Headers | Readonly<Record<string, string>>;
  readonly json: any;
}

const headerOf = ({ headers }: Answered, name: string): string | null =>
  headers instanceof Headers ? headers.get(name) : (headers[name] ?? null);

/** Fails unless the answer is an error in the one shape of contract §1, with a request id, as JSON, without a stack trace. */
export function expectError(answer: Answered, status: number, code: string): any {
  const { json } = answer;
  expect({ status: answer.status, code: json?.error?.code }).toEqual({ status, code });
  const pair = {
    status: 'error',
    error: { code, message: expect.stringMatching(/\S/), details: json.error.details },
  };
  expect(json).toEqual({ ...pair, timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/), detail: pair });
  expect(json.detail).toEqual({ status: json.status, error: json.error });
  expect(headerOf(answer, 'content-type')).toMatch(/^application\/json/);
  expect(headerOf(answer, 'x-request-id')).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
  expect(JSON.stringify(json)).not.toMatch(/node_modules|\.[jt]s:\d|\n {4}at /);
  if (code === 'INVALID_REQUEST') expectFieldErrors(json.error.details);
  return json;
}

function expectFieldErrors(details: any): void {
  expect(details).toEqual({ errors: expect.any(Array) });
  expect(details.errors.length).toBeGreaterThan(0);
  for (const each of details.errors) expect(each).toEqual({ field: expect.any(String), message: expect.stringMatching(/\S/) });
}
