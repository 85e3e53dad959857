import { expect, it } from 'vitest';
import { readShown, showMs, voterToken } from './shown.ts';

const read = (name: string, data: unknown) => readShown({ id: 'e', name, data });

it('shows messages, questions and results', () => {
  expect(read('message', { text: '<b>hi</b>' })).toEqual({ kind: 'message', id: 'e', text: '<b>hi</b>' });
  const data = { question: '?', choices: ['a', 'b'] };
  expect(read('quiz', data)).toEqual({ kind: 'question', id: 'e', ...data });
  expect(read('poll-result', { ...data, counts: [1, 'x'], correct: 1 })).toEqual({
    kind: 'result',
    id: 'e',
    ...data,
    counts: [1, 0],
    correct: 1,
  });
});

it('shows nothing else, whatever others send', () => {
  for (const data of [null, 5, 'x', [], {}, { text: 5 }, { text: ' ' }, { question: '?', choices: ['a'] }])
    for (const name of ['message', 'poll', 'quiz', 'poll-result', 'cm-in'])
      expect(read(name, data), `${name} ${JSON.stringify(data)}`).toBeUndefined();
  expect(read('poll', { question: '?', choices: ['a', 5] })).toBeUndefined();
  expect(read('poll-result', { question: '?', choices: ['a', 'b'] })).toBeUndefined();
  const long = read('message', { text: 'x'.repeat(10_000) });
  expect(long).toMatchObject({ text: 'x'.repeat(300) });
});

it('is shown as long as the event lasts, within bounds', () => {
  expect([0, 1, 10_000_000, 1e12].map((duration) => showMs({ duration }))).toEqual([
    8000, 3000, 10_000, 600_000,
  ]);
});

it('has one token for each browser', () => {
  expect(voterToken()).toMatch(/^[0-9a-f]{32}$/);
  expect(voterToken()).toBe(voterToken());
});
