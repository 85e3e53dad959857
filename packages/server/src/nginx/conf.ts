/** One directive of an nginx configuration. */
export interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  /** Counted from 1. */
  readonly line: number;
  /** What stands between its braces; undefined where it ends with a semicolon. */
  readonly block?: readonly Directive[];
}

/** A text that is no nginx configuration. */
export class ConfError extends Error {
  override readonly name = 'ConfError';

  constructor(line: number, what: string) {
    super(`line ${line}: ${what}`);
  }
}

/** Longest text, in characters; directives and depth of one. */
const MAX_TEXT = 1_000_000;
const MAX_DIRECTIVES = 10_000;
const MAX_DEPTH = 16;

interface Token {
  readonly text: string;
  readonly line: number;
  readonly quoted: boolean;
}

/** Reads an nginx configuration; nothing is included or expanded. @throws ConfError */
export function parseConf(text: string): Directive[] {
  if (text.length > MAX_TEXT) throw new ConfError(1, `more than ${MAX_TEXT} characters`);
  const tokens = [...tokensOf(text)];
  let at = 0;
  let count = 0;
  const block = (depth: number, opened: number | undefined): Directive[] => {
    if (depth > MAX_DEPTH) throw new ConfError(opened ?? 1, `blocks nested deeper than ${MAX_DEPTH}`);
    const found: Directive[] = [];
    for (;;) {
      const token = tokens[at++];
      if (token === undefined) {
        if (opened === undefined) return found;
        throw new ConfError(opened, 'the block is not closed');
      }
      if (isSign(token, '}')) {
        if (opened === undefined) throw new ConfError(token.line, 'a brace that closes nothing');
        return found;
      }
      if (isSign(token, ';') || isSign(token, '{'))
        throw new ConfError(token.line, 'a directive has no name');
      if (++count > MAX_DIRECTIVES) throw new ConfError(token.line, `more than ${MAX_DIRECTIVES} directives`);
      found.push(directive(token, depth));
    }
  };
  const directive = (name: Token, depth: number): Directive => {
    const args: string[] = [];
    for (;;) {
      const token = tokens[at++];
      if (token === undefined || isSign(token, '}'))
        throw new ConfError(name.line, `\`${name.text}\` is not ended by a semicolon`);
      if (isSign(token, ';')) return { name: name.text, args, line: name.line };
      if (isSign(token, '{'))
        return { name: name.text, args, line: name.line, block: block(depth + 1, token.line) };
      args.push(token.text);
    }
  };
  return block(0, undefined);
}

function isSign({ text, quoted }: Token, sign: string): boolean {
  return !quoted && text === sign;
}

/** Words, quoted words, and the three signs; comments are left out. */
function* tokensOf(text: string): Generator<Token> {
  let line = 1;
  for (let at = 0; at < text.length; ) {
    const sign = text[at]!;
    if (sign === '\n') line++;
    if (/\s/.test(sign)) {
      at++;
    } else if (sign === '#') {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
    } else if (sign === ';' || sign === '{' || sign === '}') {
      yield { text: sign, line, quoted: false };
      at++;
    } else if (sign === '"' || sign === "'") {
      const begun = line;
      let word = '';
      let end = at + 1;
      for (; text[end] !== sign; end++) {
        if (end >= text.length) throw new ConfError(begun, 'a quote is not closed');
        if (text[end] === '\n') line++;
        if (text[end] === '\\' && end + 1 < text.length) end++;
        word += text[end];
      }
      yield { text: word, line: begun, quoted: true };
      at = end + 1;
    } else {
      let end = at;
      // `${name}` is one word.
      while (end < text.length && !/[\s;{}]/.test(text[end]!)) {
        if (text.startsWith('${', end)) end = Math.max(end + 1, text.indexOf('}', end));
        end++;
      }
      yield { text: text.slice(at, end), line, quoted: false };
      at = end;
    }
  }
}
