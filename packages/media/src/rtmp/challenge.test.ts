import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  adobeProof,
  answerChallenge,
  askForName,
  askForProof,
  challengeFields,
  llnwProof,
  type Md5,
  proofFailed,
  readChallenge,
} from './challenge.ts';

const md5: Md5 = (text) => createHash('md5').update(text).digest();
const who = { user: 'me', password: 'pass word' };

it('makes the proofs that were computed elsewhere', () => {
  expect(adobeProof(md5, who, 'c2FsdA', 'dG9rZW4', '0badcafe')).toBe('hSxTkqYUjcGa/0Tv0JxqvQ==');
  expect(llnwProof(md5, who, 'app', 'n0nce', '00000001', '0badcafe')).toBe(
    'bb7103329b3597ba745d95cf129ac5f8',
  );
  expect(llnwProof(md5, who, 'app/inst', 'n0nce', '00000001', '0badcafe')).toBe(
    '0386c8ade6b912a96e857614cadec3f3',
  );
});

it.each([
  ['[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ', { kind: 'name', mode: 'adobe' }],
  [askForName('llnw'), { kind: 'name', mode: 'llnw' }],
  ['[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=authfailed&opaque=x', { kind: 'failed' }],
  ['[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=nosuchuser', { kind: 'failed' }],
  [proofFailed('llnw'), { kind: 'failed' }],
  ['Connection rejected.', undefined],
  ['authmod=adobe', undefined],
  ['authmod=other ?reason=needauth', undefined],
  [`authmod=adobe ?reason=needauth&salt=${'x'.repeat(3000)}`, undefined],
])('understands %j', (description, word) => {
  expect(readChallenge(description)).toEqual(word);
});

it.each([
  ['adobe', 'authmod=adobe&user=me&challenge=0badcafe&response=hSxTkqYUjcGa/0Tv0JxqvQ==&opaque=dG9rZW4'],
  [
    'llnw',
    'authmod=llnw&user=me&nonce=n0nce&cnonce=0badcafe&nc=00000001&response=bb7103329b3597ba745d95cf129ac5f8',
  ],
] as const)('answers %s, name first', (mode, proof) => {
  const named = answerChallenge(readChallenge(askForName(mode))!, who, 'app', '0badcafe', md5);
  expect(named).toBe(`authmod=${mode}&user=me`);
  const asked = askForProof(mode, 'me', 'c2FsdA', mode === 'adobe' ? 'dG9rZW4' : 'n0nce');
  expect(answerChallenge(readChallenge(asked)!, who, 'app', '0badcafe', md5)).toBe(proof);
  expect(answerChallenge({ kind: 'failed' }, who, 'app', '0badcafe', md5)).toBeUndefined();
});

it('takes the challenge where there is no opaque', () => {
  const word = readChallenge('[ authmod=adobe ] : ?reason=needauth&user=me&salt=c2FsdA&challenge=dG9rZW4')!;
  expect(answerChallenge(word, who, 'app', '0badcafe', md5)).toBe(
    'authmod=adobe&user=me&challenge=0badcafe&response=hSxTkqYUjcGa/0Tv0JxqvQ==',
  );
});

it('decodes nothing in fields, and never throws', () => {
  expect(challengeFields('a=b+/==&c=%41&=x&y').get('a')).toBe('b+/==');
  expect(challengeFields('c=%41').get('c')).toBe('%41');
  fc.assert(
    fc.property(fc.string(), (text) => {
      challengeFields(text);
      const word = readChallenge(`authmod=adobe ?reason=needauth${text}`);
      if (word !== undefined) answerChallenge(word, who, text, 'x', md5);
    }),
  );
});
