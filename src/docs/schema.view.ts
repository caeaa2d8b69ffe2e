import { markup, inline, type Html } from './html.js';
import type { SchemaObject } from './open.api.js';

const LIMITS = [
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'maxProperties',
  'pattern',
  'format',
  'default',
];

/** What a value may be, in one line. */
export function typeView(schema: SchemaObject): Html {
  if (schema.$ref !== undefined) return schemaLink(schema.$ref);
  const options = schema.oneOf ?? schema.anyOf;
  if (options) return markup`${separated(options.map(typeView))}`;
  if (schema.items) return markup`list of ${typeView(schema.items)} ${limits(schema)}`;
  if (schema.enum)
    return markup`${separated(schema.enum.map((value) => markup`<code>${JSON.stringify(value)}</code>`))} ${limits(schema)}`;
  if (schema.const !== undefined) return markup`<code>${JSON.stringify(schema.const)}</code>`;
  return markup`${[schema.type ?? 'any'].flat().join(' or ')} ${limits(schema)}`;
}

/** The fields of an object, and of the objects in it. */
export function fieldsView({ properties = {}, required = [] }: SchemaObject, prefix = ''): readonly Html[] {
  return Object.entries(properties).flatMap(([name, field]) => [
    markup`<tr>
      <td><code>${prefix}${name}</code>${required.includes(name) ? null : markup` <i>optional</i>`}</td>
      <td>${typeView(field)}</td>
      <td>${inline(field.description)}</td>
    </tr>`,
    ...(field.properties ? fieldsView(field, `${prefix}${name}.`) : []),
  ]);
}

export const fieldTable = (rows: readonly Html[]): Html | null =>
  rows.length === 0
    ? null
    : markup`<table>
        <thead>
          <tr>
            <th>name</th>
            <th>type</th>
            <th>meaning</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>`;

const separated = (parts: readonly Html[]): readonly Html[] =>
  parts.map((part, index) => (index === 0 ? part : markup`| ${part}`));

function schemaLink(to: string): Html {
  const name = to.slice(to.lastIndexOf('/') + 1);
  return markup`<a href="#schema-${name}">${name}</a>`;
}

function limits(schema: SchemaObject): Html {
  const known = LIMITS.filter((name) => schema[name] !== undefined);
  return markup`<small>${known.map((name) => markup`${name} ${JSON.stringify(schema[name])}`)}</small>`;
}
