/** A JSON Schema (2020-12), as OpenAPI 3.1 has it. */
export type Schema = Readonly<Record<string, unknown>>;

/** A value that stands in `components`. */
export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

/** An object of which every member is always there, but for those named as optional. */
export function object(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', required, properties };
}

export const list = (items: Schema, more: Schema = {}): Schema => ({ type: 'array', items, ...more });

export const oneOf = (values: readonly (string | null)[], description: string): Schema => ({
  type: values.includes(null) ? ['string', 'null'] : 'string',
  enum: values,
  description,
});

export const string = (description: string, more: Schema = {}): Schema => ({ type: 'string', description, ...more });
export const integer = (description: string, more: Schema = {}): Schema => ({ type: 'integer', description, ...more });
export const number = (description: string, more: Schema = {}): Schema => ({ type: 'number', description, ...more });
export const boolean = (description: string): Schema => ({ type: 'boolean', description });
export const fixed = (value: unknown, description: string): Schema => ({ const: value, description });

/** The same, or null. */
export const nullable = (schema: Schema): Schema => ({ ...schema, type: [schema.type, 'null'] });

/** ISO 8601, UTC. */
export const time = (description: string): Schema => string(`${description}, ISO 8601 UTC`, { format: 'date-time' });

/** Epoch seconds with a fraction. */
export const epoch = (description: string): Schema => number(`${description}, epoch seconds`, { minimum: 0 });

/** A JSON object whose members nobody looks at. */
export const anyObject = (description: string): Schema => ({ type: 'object', additionalProperties: true, description });
