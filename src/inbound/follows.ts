import { registerDecorator } from 'class-validator';
import { isJsonObject } from '../common/json.js';

/** What is wrong with a value, as the rest of a sentence that begins with the field's name; or null. */
export type Rule = (value: unknown) => string | null;

/** Makes a rule of our own a decorator of class-validator. */
export function Follows(rule: Rule): PropertyDecorator {
  return (target, property) => {
    registerDecorator({
      name: rule.name,
      target: target.constructor,
      propertyName: String(property),
      validator: {
        validate: (value) => rule(value) === null,
        defaultMessage: (failed) => `${failed?.property ?? ''} ${rule(failed?.value) ?? ''}`,
      },
    });
  };
}

const objectRule: Rule = (value) => (isJsonObject(value) ? null : 'must be an object');

/** An object of JSON: class-validator's own rule also takes a number that was kept as it was written. */
export const IsJsonObject = (): PropertyDecorator => Follows(objectRule);
