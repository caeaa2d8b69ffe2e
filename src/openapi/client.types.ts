import { format, resolveConfig } from 'prettier';

/** A schema of the document, as far as types can say it. */
interface TypedSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, TypedSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | TypedSchema;
  readonly items?: TypedSchema;
  readonly oneOf?: readonly TypedSchema[];
  readonly anyOf?: readonly TypedSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
}

type Schemas = Readonly<Record<string, TypedSchema>>;

/** What the client sends and gets; what these lead to comes with them. */
const ROOTS = [
  ...['SubmitTask', 'TaskResult', 'TaskRecord', 'TaskPage', 'TaskEvent', 'BatchResult', 'RetryTasks', 'Scheduled'],
  ...['DropletList', 'DropletAnswer', 'BreakerCommand', 'NewDroplet', 'Registered', 'Removed', 'Health', 'Metrics', 'Failure'],
];

const HEAD = `// Written by "npm run openapi" from openapi.json: do not edit.\n`;

/**
 * The types of src/client/api.types.ts, from the schemas of the OpenAPI document. The known generators want an older TypeScript
 * than ours, and these schemas need little of what they can do.
 * @param file where the text will stand: Prettier's settings go by it
 */
export async function clientTypes(schemas: Schemas, file: string): Promise<string> {
  const types = [...reachable(schemas, ROOTS)].sort().map((name) => declaration(name, schemas[name] ?? {}));
  return format(`${HEAD}\n${types.join('\n\n')}\n`, { ...(await resolveConfig(file)), parser: 'typescript' });
}

/** The names, and those that their schemas lead to. @throws Error for one that the document does not have */
function reachable(schemas: Schemas, names: readonly string[], found = new Set<string>()): Set<string> {
  for (const name of names) {
    if (found.has(name)) continue;
    const schema = schemas[name];
    if (!schema) throw new Error(`The document has no schema '${name}', which the client needs`);
    found.add(name);
    const text = JSON.stringify(schema);
    reachable(
      schemas,
      [...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, next = '']) => next),
      found,
    );
  }
  return found;
}

function declaration(name: string, schema: TypedSchema): string {
  const head = comment(schema.description);
  return schema.properties
    ? `${head}export interface ${name} ${members(schema)}`
    : `${head}export type ${name} = ${typeText(schema)};`;
}

/** A comment in a description must not end the one around it. */
const comment = (text: string | undefined): string => (text ? `/** ${text.replaceAll('*/', '*\\/')} */\n` : '');

function members({ properties = {}, required = [] }: TypedSchema): string {
  const lines = Object.entries(properties).map(([name, schema]) => {
    const isOptional = !required.includes(name);
    const type = union([typeText(schema), ...(isOptional ? ['undefined'] : [])]);
    return `${comment(schema.description)}readonly ${name}${isOptional ? '?' : ''}: ${type};`;
  });
  return `{\n${lines.join('\n')}\n}`;
}

function typeText(schema: TypedSchema): string {
  const { $ref, enum: values, oneOf, anyOf, type } = schema;
  if ($ref !== undefined) return $ref.slice($ref.lastIndexOf('/') + 1);
  if ('const' in schema) return JSON.stringify(schema.const);
  if (values) return union(values.map((value) => JSON.stringify(value)));
  const choices = oneOf ?? anyOf;
  if (choices) return union(choices.map(typeText));
  return type === undefined ? 'unknown' : union([type].flat().map((each) => ofType(each, schema)));
}

/** `unknown` takes in whatever stands beside it. */
const union = (types: readonly string[]): string => (types.includes('unknown') ? 'unknown' : [...new Set(types)].join(' | '));

/** @throws Error for a type that JSON Schema does not have */
function ofType(type: string, schema: TypedSchema): string {
  switch (type) {
    case 'string':
    case 'boolean':
    case 'null':
      return type;
    case 'integer':
    case 'number':
      return 'number';
    case 'array':
      return `readonly (${typeText(schema.items ?? {})})[]`;
    case 'object':
      return schema.properties ? members(schema) : `Readonly<Record<string, ${valueType(schema)}>>`;
    default:
      throw new Error(`There is no type '${type}'`);
  }
}

const valueType = ({ additionalProperties }: TypedSchema): string =>
  typeof additionalProperties === 'object' ? typeText(additionalProperties) : 'unknown';
