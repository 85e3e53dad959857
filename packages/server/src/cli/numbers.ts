import { InvalidArgumentError } from 'commander';

/** Reads a non-negative whole number from the command line. @throws InvalidArgumentError */
export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a whole number is wanted');
  return Number(text);
}

/** Reads a positive number of seconds from the command line. @throws InvalidArgumentError */
export function seconds(text: string): number {
  const value = Number(text);
  if (!/^\d{1,6}(\.\d{1,3})?$/.test(text) || value <= 0) {
    throw new InvalidArgumentError('a positive number of seconds is wanted');
  }
  return value;
}
