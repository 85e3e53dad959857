import { expect, it } from 'vitest';
import { momentOf, wallOf } from './console-state.ts';
import { dataOf } from './cue-form.tsx';

it('says moments as requests do', () => {
  expect(momentOf({ kind: 'now' })).toEqual({});
  expect(momentOf({ kind: 'after', seconds: 3 })).toEqual({ after: 3 });
  expect(momentOf({ kind: 'media', seconds: 61.5 })).toEqual({ time: 61.5 });
});

it('takes the next time that a clock shows what was typed', () => {
  const noon = new Date(2026, 10, 29, 12, 0, 0).getTime();
  expect(wallOf('12:00:30', noon) - noon).toBe(30_000);
  expect(wallOf('11:59', noon) - noon).toBe(86_340_000);
});

it('makes data of what stands in a form', () => {
  const form = (fields: Record<string, string>): FormData => {
    const data = new FormData();
    for (const [name, value] of Object.entries(fields)) data.set(name, value);
    return data;
  };
  expect(dataOf('message', form({ text: ' hi ' }))).toEqual({ text: 'hi' });
  const asked = form({ question: '?', choices: 'a\n\n b \n', correct: '2' });
  expect(dataOf('quiz', asked)).toEqual({ question: '?', choices: ['a', 'b'], correct: 1 });
  expect(dataOf('poll', asked)).toEqual({ question: '?', choices: ['a', 'b'] });
  expect(dataOf('plain', form({ data: '{"a":1}' }))).toEqual({ a: 1 });
  expect(dataOf('plain', form({ data: '' }))).toBeUndefined();
  expect(() => dataOf('plain', form({ data: '{' }))).toThrow(SyntaxError);
});
