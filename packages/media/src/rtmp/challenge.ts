/**
 * The challenges by which media servers ask encoders for name and password. There is no public standard: a refused `connect`
 * tells what is wanted in its description, and the encoder connects again with the answer behind the application's name.
 */

/** How the answer is made: that of Adobe's servers or that of Limelight's. */
export type ChallengeMode = 'adobe' | 'llnw';

/** What makes answers and is not this package's: MD5 (RFC 1321), 16 bytes. */
export type Md5 = (text: string) => Uint8Array;

/** Who answers. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** A description of a refusal, understood. */
export type ChallengeWord =
  /** Name a user. */
  | { readonly kind: 'name'; readonly mode: ChallengeMode }
  /** Prove it. */
  | { readonly kind: 'prove'; readonly mode: ChallengeMode; readonly fields: ReadonlyMap<string, string> }
  /** The proof or the user is wrong. */
  | { readonly kind: 'failed' };

const PREFIX = '[ AccessManager.Reject ] : ';
/** Longest query and description that are looked at, in characters. */
const MAX_TEXT = 2_048;
const MAX_FIELDS = 16;
/** What Limelight's form has in place of HTTP's realm, method and quality (RFC 2617 §3.2.2). */
const REALM = 'live';
const METHOD = 'publish';
const QOP = 'auth';

/** The fields of a query. Nothing is decoded: answers hold `+`, `/` and `=` as they are. */
export function challengeFields(query: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  if (query.length > MAX_TEXT) return fields;
  for (const pair of query.split('&').slice(0, MAX_FIELDS)) {
    const at = pair.indexOf('=');
    if (at > 0) fields.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return fields;
}

/** Understands the description of a refusal; undefined if it is about something else. */
export function readChallenge(description: string): ChallengeWord | undefined {
  if (description.length > MAX_TEXT) return undefined;
  const mode = /authmod=(adobe|llnw)(?![a-z])/.exec(description)?.[1] as ChallengeMode | undefined;
  if (mode === undefined) return undefined;
  const reason = description.indexOf('?reason=');
  if (reason >= 0) {
    const fields = challengeFields(description.slice(reason + 1).trimEnd());
    return fields.get('reason') === 'needauth' ? { kind: 'prove', mode, fields } : { kind: 'failed' };
  }
  return description.includes('code=403 need auth') ? { kind: 'name', mode } : undefined;
}

/** The description that asks for a user's name. */
export function askForName(mode: ChallengeMode): string {
  return `${PREFIX}[ code=403 need auth; authmod=${mode} ] : `;
}

/** The description that asks for a proof. @param token what the answer is made with, and must come back. */
export function askForProof(mode: ChallengeMode, user: string, salt: string, token: string): string {
  const asked = mode === 'adobe' ? `salt=${salt}&challenge=${token}&opaque=${token}` : `nonce=${token}`;
  return `${PREFIX}[ authmod=${mode} ] : ?reason=needauth&user=${user}&${asked}`;
}

/** The description that says that the proof is wrong, or the user. */
export function proofFailed(mode: ChallengeMode): string {
  return `${PREFIX}[ authmod=${mode} ] : ?reason=authfailed`;
}

/** Answer in Adobe's form. @param token `opaque` if there is one, else `challenge`. @param own the encoder's challenge */
export function adobeProof(md5: Md5, who: Credentials, salt: string, token: string, own: string): string {
  const secret = base64(md5(who.user + salt + who.password));
  return base64(md5(secret + token + own));
}

/** Answer in Limelight's form, that of HTTP Digest (RFC 2617 §3.2.2.1). @param app without query. */
export function llnwProof(
  md5: Md5,
  who: Credentials,
  app: string,
  nonce: string,
  count: string,
  own: string,
): string {
  const path = app.includes('/') ? app : `${app}/_definst_`;
  const secret = hex(md5(`${who.user}:${REALM}:${who.password}`));
  const what = hex(md5(`${METHOD}:/${path}`));
  return hex(md5(`${secret}:${nonce}:${count}:${own}:${QOP}:${what}`));
}

/**
 * What to put behind the application's name for the next attempt.
 * @param own eight hexadecimal digits that nobody can guess. @param app without query.
 * @returns undefined if the server said that name or password is wrong.
 */
export function answerChallenge(
  word: ChallengeWord,
  who: Credentials,
  app: string,
  own: string,
  md5: Md5,
): string | undefined {
  if (word.kind === 'failed') return undefined;
  const { mode } = word;
  const start = `authmod=${mode}&user=${who.user}`;
  if (word.kind === 'name') return start;
  const field = (name: string): string => word.fields.get(name) ?? '';
  if (mode === 'adobe') {
    const token = field('opaque') || field('challenge');
    const proof = adobeProof(md5, who, field('salt'), token, own);
    const opaque = field('opaque') === '' ? '' : `&opaque=${field('opaque')}`;
    return `${start}&challenge=${own}&response=${proof}${opaque}`;
  }
  const count = '00000001';
  const proof = llnwProof(md5, who, app, field('nonce'), count, own);
  return `${start}&nonce=${field('nonce')}&cnonce=${own}&nc=${count}&response=${proof}`;
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function base64(bytes: Uint8Array): string {
  let out = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const three = ((bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)) >>> 0;
    for (let i = 0; i < 4; i++) {
      out += at * 8 + i * 6 < bytes.length * 8 ? BASE64[(three >>> (18 - 6 * i)) & 63] : '=';
    }
  }
  return out;
}
