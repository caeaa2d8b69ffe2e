import { errorAnswer, errorSchemas } from './error.answers.js';
import { DROPLET_SCHEMAS } from './droplet.schemas.js';
import { HEALTH_SCHEMAS } from './health.schemas.js';
import { METRICS_SCHEMAS } from './metrics.schemas.js';
import { HEADERS, PARAMETERS } from './parameters.js';
import { REQUEST_SCHEMAS } from './request.schemas.js';
import type { Schema } from './schema.js';
import { SERVICE_SCHEMAS } from './service.schemas.js';
import { TASK_SCHEMAS } from './task.schemas.js';

const SECURITY_SCHEMES = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description:
      'A key of `API_KEYS_FILE` (`AUTH_MODE=apikey`) or a JWT (`AUTH_MODE=jwt`). With `AUTH_MODE=none`, the default, nothing is asked for.',
  },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The same key, where a Bearer header cannot be sent.' },
};

/** What is answered where there is no operation. */
const OF_NO_OPERATION = ['NotFound-404', 'MethodNotAllowed-405'];

/** What the document refers to, and what that refers to. @param text of all that refers */
export function components(text: string): Schema {
  const schemas = {
    ...{ ...TASK_SCHEMAS, ...DROPLET_SCHEMAS, ...HEALTH_SCHEMAS, ...METRICS_SCHEMAS, ...SERVICE_SCHEMAS },
    ...{ ...REQUEST_SCHEMAS, ...errorSchemas() },
  };
  const names = [...namesIn(text, 'responses'), ...OF_NO_OPERATION].sort();
  const responses = Object.fromEntries(names.map((name) => [name, errorAnswer(name)]));
  return {
    securitySchemes: SECURITY_SCHEMES,
    parameters: pick(PARAMETERS, namesIn(text, 'parameters')),
    headers: HEADERS,
    responses,
    schemas: pick(schemas, closure(schemas, text + JSON.stringify(responses))),
  };
}

const namesIn = (text: string, kind: string): string[] =>
  [...new Set([...text.matchAll(new RegExp(`#/components/${kind}/([\\w-]+)`, 'g'))].map(([, name = '']) => name))].sort();

/** The names of the schemas that a text leads to. */
function closure(schemas: Readonly<Record<string, Schema>>, text: string): string[] {
  const names = namesIn(text, 'schemas');
  const more = namesIn(text + JSON.stringify(pick(schemas, names)), 'schemas');
  return more.length === names.length ? names : closure(schemas, text + JSON.stringify(pick(schemas, more)));
}

function pick(all: Readonly<Record<string, Schema>>, names: readonly string[]): Record<string, Schema> {
  return Object.fromEntries(
    names.map((name) => {
      const found = all[name];
      if (!found) throw new Error(`Nothing is said of '${name}', which the document refers to`);
      return [name, found];
    }),
  );
}
