import { Injectable, type PipeTransform } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import { InvalidRequestError, type FieldError } from '../common/errors.js';
import { quickCheckOf } from './quick.check.js';

/** A request class: its fields carry class-validator's decorators, and each has an initial value. */
type RequestClass<T extends object> = new () => T;

/**
 * Makes an instance of a request class from a JSON body. Only fields that the class declares are taken, so that no key
 * of a caller reaches anything else; values are taken as they are.
 * @throws InvalidRequestError that names each wrong field
 */
export function validBody<T extends object>(Request: RequestClass<T>, body: unknown): T {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw InvalidRequestError.of('body', 'must be a JSON object');
  }
  return validated(Request, takeOver(Request, body, new Request()));
}

/** Takes over those members of a value that the class declares, and no other. */
function takeOver<T extends object, Into extends object>(Request: RequestClass<T>, from: object, into: Into): Into {
  const source = from as Record<string, unknown>;
  const target = into as Record<string, unknown>;
  const { fields } = knownOf(Request);
  for (const field of Object.keys(from)) if (fields.has(field)) target[field] = source[field];
  return into;
}

/** What is found out once of a request class. */
interface Known {
  readonly fields: ReadonlySet<string>;
  readonly isPlainlyValid: (request: object) => boolean;
}

const known = new WeakMap<RequestClass<object>, Known>();

function knownOf(Request: RequestClass<object>): Known {
  const before = known.get(Request);
  if (before) return before;
  const found = { fields: new Set(Object.keys(new Request())), isPlainlyValid: quickCheckOf(Request) };
  known.set(Request, found);
  return found;
}

function validated<T extends object>(Request: RequestClass<T>, request: T): T {
  if (knownOf(Request).isPlainlyValid(request)) return request;
  const errors = validateSync(request, { forbidUnknownValues: false });
  if (errors.length > 0) throw new InvalidRequestError(errors.flatMap(fieldErrors));
  return request;
}

function fieldErrors({ property, constraints = {} }: ValidationError): FieldError[] {
  return Object.values(constraints).map((message) => ({ field: property, message: message.replace(`${property} `, '') }));
}

/** The body of a request as an instance of its class: `@Body(new ValidBody(SubmitTask)) task: SubmitTask`. */
@Injectable()
export class ValidBody<T extends object> implements PipeTransform<unknown, T> {
  constructor(private readonly request: RequestClass<T>) {}

  transform(body: unknown): T {
    return validBody(this.request, body);
  }
}

/** The query of a request as an instance of its class, its texts converted by class-transformer's decorators. */
@Injectable()
export class ValidQuery<T extends object> implements PipeTransform<unknown, T> {
  constructor(private readonly request: RequestClass<T>) {}

  transform(query: unknown): T {
    return validated(this.request, plainToInstance(this.request, takeOver(this.request, query as object, {})));
  }
}
