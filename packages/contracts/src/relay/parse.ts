import { DecodeError, Field } from '../api/index.ts';

/** Longest message of the control socket in UTF-16 units. */
export const RELAY_MAX_MESSAGE = 8 * 1024;

/** A text message as a field. @throws DecodeError if it is too long or no JSON. */
export function parsed(text: string): Field {
  if (text.length > RELAY_MAX_MESSAGE) {
    throw new DecodeError({
      path: '',
      expected: `at most ${RELAY_MAX_MESSAGE} characters`,
      received: `${text.length}`,
    });
  }
  try {
    return new Field(JSON.parse(text));
  } catch {
    throw new DecodeError({ path: '', expected: 'JSON', received: 'something else' });
  }
}
