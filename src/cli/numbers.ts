import { InvalidArgumentError } from 'commander';

/** A reader of whole numbers within bounds. */
export const integerBetween =
  (least: number, most: number) =>
  (text: string): number => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (!(value >= least && value <= most)) throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
    return value;
  };
