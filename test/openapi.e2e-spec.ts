import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { KeyFile } from './support/keys.js';
import { openApi, OPENAPI_FILE, operations } from './support/open.api.js';
import { OrchestratorProcess, ROOT } from './support/process.js';
import { declaredRoutes } from './support/routes.js';

/** `METHOD /path` of every operation, as the server's own routes are written. */
const documented = operations.map(({ method, path }) => {
  const route = path.replace(/^\/orchestrator/, '').replace(/\{(\w+)\}/g, ':$1');
  return `${method} ${route === '' ? '/' : route}`;
});

describe('the document', () => {
  it('has every route of the source, and no other', () => {
    const routes = declaredRoutes(ROOT).map(({ method, path }) => `${method} ${path}`);
    expect(routes.length).toBeGreaterThan(30);
    expect(documented.sort()).toEqual(routes.sort());
  });

  it('names every operation once, with a summary', () => {
    const operations = Object.values<any>(openApi.paths).flatMap((methods) => Object.values<any>(methods));
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(operations.filter(({ summary, description }) => !summary || !description)).toEqual([]);
  });

  it('lets every path begin with the prefix', () => {
    expect(Object.keys(openApi.paths).filter((url) => !/^\/orchestrator(\/|$)/.test(url))).toEqual([]);
  });
});

describe('a server that asks for keys', () => {
  const keys = new KeyFile([]);
  let server: OrchestratorProcess;

  beforeAll(async () => {
    server = await OrchestratorProcess.start({ AUTH_MODE: 'apikey', API_KEYS_FILE: keys.path });
  }, 40_000);
  afterAll(() => server.remove());

  it.each(['/openapi.json', '/orchestrator/openapi.json'])('serves the committed file at %s, byte for byte', async (url) => {
    const { status, text, headers } = await server.get(url);
    expect(status).toBe(200);
    expect(text).toBe(readFileSync(OPENAPI_FILE, 'utf8'));
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(headers.get('x-request-id')).toMatch(/\S/);
  });

  it.each(['/openapi.json', '/docs'])('answers 304 at %s to who has it already', async (url) => {
    const etag = (await server.get(url)).headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]+"$/);
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const { status, text, headers } = await server.get(url, { 'if-none-match': tag });
      expect({ status, text, etag: headers.get('etag') }).toEqual({ status: 304, text: '', etag });
    }
    expect((await server.get(url, { 'if-none-match': '"other"' })).status).toBe(200);
  });

  it('answers with the methods of the document, and no other, to a method that a path does not have', async () => {
    for (const [url, methods] of Object.entries<object>(openApi.paths)) {
      const { status, headers } = await server.request('OPTIONS', url.replace(/\{\w+\}/g, '5'));
      const allowed = (headers.get('allow') ?? '').split(', ').filter((method) => method !== 'HEAD');
      expect([url, status]).toEqual([url, 405]);
      // A path without parameters is also taken for one with them.
      const own = Object.keys(methods).map((method) => method.toUpperCase());
      expect([url, own.filter((method) => !allowed.includes(method))]).toEqual([url, []]);
    }
  });

  it('shows every operation and every schema on a page that a browser may run nothing on', async () => {
    const { status, text, headers } = await server.get('/docs');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    const style = /<style>([\s\S]*?)<\/style>/.exec(text)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(headers.get('content-security-policy')).toContain(`default-src 'none'; style-src 'sha256-${hash}'`);
    expect(text).not.toMatch(/<script|<link|<img|\bon\w+=|style=|https?:\/\/(?!localhost:8001)[^<]*\.(js|css)/);
    const ids = Object.values<any>(openApi.paths).flatMap((methods) =>
      Object.values<any>(methods).map((each) => each.operationId),
    );
    const names = Object.keys(openApi.components.schemas).map((name) => `schema-${name}`);
    expect([...ids, ...names].filter((id) => !text.includes(`id="${id}"`))).toEqual([]);
  });
});
