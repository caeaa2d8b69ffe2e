import { describe, expect, it } from '@jest/globals';
import { ANYBODY } from '../common/access.js';
import { parseExact } from '../common/json.js';
import { validBody } from '../inbound/valid.js';
import { SubmitTask } from './submit-task.dto.js';
import { draftTask, fingerprintOf, requestOf, storableRequest, type Caller } from './task.draft.js';
import { newTaskId } from './task.id.js';

const caller: Caller = {
  identity: ANYBODY,
  requestId: 'r',
  traceparent: 't',
  idempotencyKey: 'k',
  waitEnd: () => new AbortController().signal,
};
const submitted = (fields: object = {}): SubmitTask => validBody(SubmitTask, { droplet_name: 'Echo', path: '/x', ...fields });
const request = (fields: object = {}) => requestOf(submitted(fields), caller);
const fingerprint = (fields: object = {}): string => fingerprintOf(submitted(fields), request(fields));

describe('a task before anything has happened to it', () => {
  it('has nothing but what was asked for', () => {
    const id = newTaskId();
    const rest = { caller: 'ann', status: 'queued', targetUrl: 'http://e/x', runAt: 5, request: request() } as const;
    const draft = draftTask(id, submitted({ method: 'PUT', meta: { a: 'b' } }), rest);
    expect(draft).toEqual({
      ...{ id, dropletName: 'Echo', method: 'PUT', path: '/x', meta: { a: 'b' }, priority: 5, callback: null },
      ...{ responseStatus: null, responseBody: 'null', retryCount: 0, attempts: 0, error: null, history: [] },
      ...{ createdAt: draft.createdAt, completedAt: null, durationMs: null },
      ...rest,
    });
    expect(Math.abs(draft.createdAt - Date.now())).toBeLessThan(60_000);
  });

  it.each([0, 9])('keeps its priority %d', (priority) => {
    const rest = { caller: '', status: 'queued', targetUrl: '', runAt: null, request: null } as const;
    expect(draftTask(newTaskId(), submitted({ priority }), rest).priority).toBe(priority);
  });
});

describe('what a task sends', () => {
  it('is all that is needed to run it after a restart', () => {
    const asked = { timeout_ms: 500, attempt_timeout_ms: 100, max_attempts: 2, retry_unsafe: false };
    expect(request({ ...asked, payload: { a: [1] }, headers: { 'X-A': 'B' }, callback_url: 'https://h/' })).toEqual({
      ...{ payload: '{"a":[1]}', headers: { 'x-a': 'B' }, requestId: 'r', traceparent: 't', callbackUrl: 'https://h/' },
      ...{ timeoutMs: 500, attemptTimeoutMs: 100, maxAttempts: 2, retryUnsafe: false },
    });
  });

  it.each<[unknown, string | null]>([
    [null, null],
    [0, '0'],
    [false, 'false'],
    ['', '""'],
    [[], '[]'],
    [parseExact('{"n":9007199254740993,"m":1e400}'), '{"n":9007199254740993,"m":1e400}'],
  ])('is the payload as it was written: %j', (payload, text) => {
    expect(request({ payload }).payload).toBe(text);
  });

  it('is never stored when it carries credentials of the caller, and says so', () => {
    const plain = request({ headers: { 'x-a': 'b' } });
    expect(storableRequest(plain)).toBe(plain);
    const stored = storableRequest(request({ headers: { AuthoriZation: 'Bearer hunter2', 'x-a': 'b' } }));
    expect(stored).toEqual({ ...plain, payload: null, headers: {}, lacksCredentials: true });
  });
});

describe('the fingerprint of a request', () => {
  it.each<[string, object]>([
    ['the droplet in another case', { droplet_name: 'eCHO' }],
    ['other headers', { headers: { a: 'b' } }],
    ['another meta, priority and deadline', { meta: { a: 'b' }, priority: 1, timeout_ms: 100 }],
  ])('is the same with %s', (_title, fields) => {
    expect(fingerprint(fields)).toBe(fingerprint());
  });

  it('differs with droplet, method, path and payload', () => {
    const different = [
      ...[
        {},
        { droplet_name: 'other' },
        { method: 'POST' },
        { path: '/y' },
        { payload: {} },
        { payload: '' },
        { payload: 'null' },
      ],
      ...[{ payload: [] }, { payload: 1 }, { payload: { a: 1 } }, { payload: { a: '1' } }, { path: '/x?' }],
    ];
    expect(new Set(different.map(fingerprint)).size).toBe(different.length);
  });
});
