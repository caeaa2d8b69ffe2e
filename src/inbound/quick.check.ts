import { getMetadataStorage, ValidationTypes, type ValidationArguments } from 'class-validator';

/** True if a value is in order. */
type Check = (object: object) => boolean;
/** What class-validator knows of one decorator. */
type Decorator = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];

const CONDITION: string = ValidationTypes.CONDITIONAL_VALIDATION;
const RULE: string = ValidationTypes.CUSTOM_VALIDATION;

/**
 * True of an object in which class-validator finds no fault. It would collect a class' decorators anew for each object,
 * which was 6 % of a task's CPU; here that is done once. False says nothing: the object may be faulty, or its class have
 * decorators that only the library understands.
 */
export function quickCheckOf(Class: new () => object): Check {
  const storage = getMetadataStorage();
  const decorators = storage.getTargetValidationMetadatas(Class, '', false, false);
  if (!decorators.every(isUnderstood)) return () => false;
  const fields = Object.values(storage.groupByPropertyName(decorators)).map(fieldCheck);
  return (object) => fields.every((isRight) => isRight(object));
}

const rulesOf = ({ constraintCls }: Decorator) => getMetadataStorage().getTargetValidatorConstraints(constraintCls);

function isUnderstood(decorator: Decorator): boolean {
  if (decorator.type === CONDITION) return true;
  return decorator.type === RULE && !decorator.each && !decorator.validateIf && rulesOf(decorator).every((rule) => !rule.async);
}

/** The rules of one field hold, or one of its conditions says that they need not. */
function fieldCheck(decorators: readonly Decorator[]): Check {
  const conditions = decorators.filter(({ type }) => type === CONDITION).map(conditionCheck);
  const rules = decorators.filter(({ type }) => type === RULE).flatMap(ruleChecks);
  return (object) => conditions.some((isAsked) => !isAsked(object)) || rules.every((isRight) => isRight(object));
}

function conditionCheck({ propertyName, constraints }: Decorator): Check {
  const [isAsked] = constraints as [(object: object, value: unknown) => boolean];
  return (object) => isAsked(object, Reflect.get(object, propertyName));
}

function ruleChecks(decorator: Decorator): Check[] {
  const { propertyName: property, constraints } = decorator;
  return rulesOf(decorator).map(({ instance }) => (object) => {
    const value: unknown = Reflect.get(object, property);
    const args: ValidationArguments = { targetName: object.constructor.name, property, object, value, constraints };
    return instance.validate(value, args) === true;
  });
}
