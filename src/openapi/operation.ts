import type { ErrorCode } from '../common/errors.js';
import type { Schema } from './schema.js';

/** An example of a request that is answered with success. */
export interface RequestExample {
  readonly summary: string;
  readonly value: unknown;
  /** The status of its answer, where the operation has several. */
  readonly 'x-answered-with'?: number;
}

/** An answer that is no JSON. */
interface Text {
  readonly type: string;
  readonly schema: Schema;
  readonly example?: unknown;
}

/** A successful answer. */
export interface Answer {
  readonly description: string;
  /** Of its JSON; none means that it has none. */
  readonly schema?: Schema;
  readonly example?: unknown;
  readonly headers?: readonly string[];
  /** What it is instead of JSON, or beside it. */
  readonly text?: readonly Text[];
}

/** What the code does not say of one of its routes. */
export interface Operation {
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  /** Headers and query; path parameters come from the route. */
  readonly parameters?: readonly Schema[];
  readonly body?: {
    readonly schema: Schema;
    readonly examples: Readonly<Record<string, RequestExample>>;
    readonly isOptional?: true;
  };
  readonly answer: Answer;
  /** Beside the one that the route gives by itself. */
  readonly moreAnswers?: Readonly<Record<number, Answer>>;
  /** Beside those that follow from the route's access and body. */
  readonly errors?: readonly ErrorCode[];
  readonly callbacks?: Schema;
}

/** The routes of a controller with what is said of each. */
export interface Described {
  readonly Controller: Controller;
  readonly operations: Readonly<Record<string, Operation>>;
}

type Controller = abstract new (...args: never[]) => object;
type Handlers<T> = { [K in keyof T & string]: T[K] extends (...args: never[]) => unknown ? K : never }[keyof T & string];

/** Says something of every route of a controller: one that is left out does not compile. */
export const describe = <T extends object>(
  Controller: abstract new (...args: never[]) => T,
  operations: Readonly<Record<Handlers<T>, Operation>>,
): Described => ({ Controller, operations });
