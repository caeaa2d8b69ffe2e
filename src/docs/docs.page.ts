import { createHash } from 'node:crypto';
import { STYLE } from './docs.style.js';
import { Html, inline, markup, prose } from './html.js';
import { isReference, nameOf, type OpenApiDocument } from './open.api.js';
import { operationView } from './operation.view.js';
import { fieldsView, fieldTable } from './schema.view.js';

export type { OpenApiDocument } from './open.api.js';

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** The page needs no script, no other file and no other host, and may do nothing else. */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** The document as a page: every operation with its fields, its answers, and commands to try. */
export function docsPage(document: OpenApiDocument): string {
  const { info, tags, components } = document;
  const page = markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${info.title} ${info.version}: API</title>
        <style>${new Html(STYLE)}</style>
      </head>
      <body>
        <header>
          <h1>${info.title} <small>${info.version}</small></h1>
          <p>${info.summary}. <a href="openapi.json">openapi.json</a></p>
        </header>
        <nav aria-label="Contents">
          <ul>
            ${tags.map(({ name }) => markup`<li><a href="#tag-${name}">${name}</a></li>`)}
            <li><a href="#schemas">Schemas</a></li>
          </ul>
        </nav>
        <main>
          ${prose(info.description)} ${tags.map((tag) => tagView(document, tag))}
          <h2 id="schemas">Schemas</h2>
          ${Object.entries(components.schemas).map(
            ([name, schema]) =>
              markup`<h3 id="schema-${name}">${name}</h3>
                ${prose(schema.description)}${fieldTable(fieldsView(schema))}`,
          )}
        </main>
      </body>
    </html>`;
  return page.text;
}

function tagView(document: OpenApiDocument, { name, description }: { name: string; description: string }): Html {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
  const own = operations.filter(({ operation }) => operation.tags.includes(name));
  return markup`<section>
    <h2 id="tag-${name}">${name}</h2>
    <p>${inline(description)}</p>
    ${own.map((each) =>
      operationView({
        ...each,
        parameters: each.operation.parameters.map((one) => (isReference(one) ? found(document.components.parameters, one) : one)),
        responses: Object.entries(each.operation.responses).map(
          ([status, one]) => [status, isReference(one) ? found(document.components.responses, one) : one] as const,
        ),
      }),
    )}
  </section>`;
}

function found<T>(all: Readonly<Record<string, T>>, reference: { readonly $ref: string }): T {
  const one = all[nameOf(reference)];
  if (one === undefined) throw new Error(`The document refers to ${reference.$ref}, which it does not have`);
  return one;
}
