import { getMetadataStorage, validateSync, ValidationTypes } from 'class-validator';
import { MAX_HEADERS } from '../outbound/header.rules.js';
import { MAX_URL } from '../registry/registration.dto.js';
import { MESH_ID_LENGTH } from '../udc/message.dto.js';
import type { Schema } from './schema.js';

type Decorator = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];

/** What is said of a field beside its limits; what stands here wins over what the decorators say. */
export type FieldText = { readonly description: string } & Schema;

const OBJECT = { type: 'object', additionalProperties: true };
const STRINGS = { type: 'object', additionalProperties: { type: 'string' } };

/** What each decorator means in JSON Schema; those of `Follows` go by the name of their rule. */
const MEANING: Readonly<Record<string, (constraints: readonly unknown[]) => Schema>> = {
  isString: () => ({ type: 'string' }),
  isBoolean: () => ({ type: 'boolean' }),
  isInt: () => ({ type: 'integer' }),
  isNumber: () => ({ type: 'number' }),
  isIn: ([values]) => ({ type: 'string', enum: values }),
  isLength: ([minLength, maxLength]) => ({ minLength, maxLength }),
  min: ([minimum]) => ({ minimum }),
  max: ([maximum]) => ({ maximum }),
  matches: ([pattern]) => ({ type: 'string', pattern: (pattern as RegExp).source }),
  pathRule: () => ({ type: 'string', pattern: '^/' }),
  objectRule: () => OBJECT,
  stringMapFault: () => STRINGS,
  headersFault: () => ({ ...STRINGS, maxProperties: MAX_HEADERS }),
  endpointRule: () => ({ type: 'string', format: 'uri', maxLength: MAX_URL }),
  meshIdRule: () => ({ oneOf: [{ type: 'string', minLength: 1, maxLength: MESH_ID_LENGTH }, { type: 'integer' }] }),
  instantRule: () => ({ oneOf: [{ type: 'number', minimum: 0 }, { type: 'string' }] }),
  isoRule: () => ({ type: 'string' }),
};

/**
 * The schema of a request class: its limits are what its class-validator decorators say, a field is required when its
 * initial value is not valid, and else that value is the default.
 * @throws Error for a decorator whose meaning nobody has said
 */
export function requestSchema<T extends object>(
  Request: new () => T,
  texts: Readonly<Record<keyof T & string, FieldText>>,
): Schema {
  const initial = new Request();
  const missing = new Set(validateSync(initial).map(({ property }) => property));
  const names = Object.keys(initial) as (keyof T & string)[];
  const fields = names.map((name) => {
    const { description, ...said } = texts[name];
    const limits = { ...limitsOf(Request, name), ...said };
    const value = initial[name];
    const isStated = missing.has(name) || value === undefined || value === null;
    return [name, { description, ...limits, ...(isStated ? {} : { default: value }) }] as const;
  });
  const required = names.filter((name) => missing.has(name));
  return { type: 'object', properties: Object.fromEntries(fields), ...(required.length > 0 ? { required } : {}) };
}

function limitsOf(Request: new () => object, name: string): Schema {
  const decorators = getMetadataStorage()
    .getTargetValidationMetadatas(Request, '', false, false)
    .filter(({ propertyName }) => propertyName === name);
  const isNullable = decorators.some(isCondition);
  // The order of decorators is that of their execution: the last one written comes first.
  const limits = decorators.filter((each) => !isCondition(each)).reduceRight((all, each) => ({ ...all, ...meaningOf(each) }), {});
  return isNullable ? orNull(limits) : limits;
}

const isCondition = ({ type }: Decorator): boolean => type === ValidationTypes.CONDITIONAL_VALIDATION;

function meaningOf({ name = '', constraints, propertyName }: Decorator): Schema {
  const meaning = MEANING[name];
  if (!meaning) throw new Error(`${propertyName}: request.schema.ts does not know what the rule '${name}' means`);
  return meaning((constraints as readonly unknown[] | undefined) ?? []);
}

/** The schema of a value that may be null as well. */
function orNull(schema: Schema): Schema {
  if (Array.isArray(schema.oneOf)) return { ...schema, oneOf: [...(schema.oneOf as unknown[]), { type: 'null' }] };
  if (schema.type === undefined) return schema;
  const values = Array.isArray(schema.enum) ? { enum: [...(schema.enum as unknown[]), null] } : {};
  return { ...schema, type: [schema.type, 'null'], ...values };
}
