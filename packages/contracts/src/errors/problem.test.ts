import { expect, it } from 'vitest';
import { closeCodeOf, ERROR_CODES, isErrorCode, problem, readProblem, statusOf } from './index.ts';

it('a problem document carries the registry entry of its code', () => {
  const made = problem('STREAM_NOT_FOUND', { detail: 'live/x', instance: 'urn:onair:request:1' });
  expect(made).toEqual({
    type: '/api/v1/errors/STREAM_NOT_FOUND',
    title: 'No such stream',
    status: 404,
    code: 'STREAM_NOT_FOUND',
    detail: 'live/x',
    instance: 'urn:onair:request:1',
  });
  expect(readProblem(JSON.parse(JSON.stringify(made)))).toEqual(made);
  expect(
    readProblem({ code: 'INVALID_FIELD', errors: [{ path: 'a', expected: 'b', received: 'c' }, 5] }),
  ).toMatchObject({
    status: 400,
    errors: [{ path: 'a' }],
  });
});

it('what is no problem document is none', () => {
  for (const value of [null, 'x', {}, { code: 'toString' }, { code: 5 }])
    expect(readProblem(value)).toBeUndefined();
  expect(isErrorCode('__proto__')).toBe(false);
});

it('every code is well formed and has a status, a title and a text', () => {
  for (const [code, entry] of Object.entries(ERROR_CODES)) {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(entry.status).toBeGreaterThanOrEqual(400);
    expect(entry.status).toBeLessThan(600);
    expect(entry.title).toMatch(/^[A-Z].*[^.]$/);
    expect(entry.description).toMatch(/\.$/);
  }
  expect(statusOf('GONE')).toBe(410);
  expect(closeCodeOf('STREAM_NOT_FOUND')).toBe(4404);
});
