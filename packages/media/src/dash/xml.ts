import { ParseError } from '../model/errors.ts';

/** An element with its attributes in order; an element has children or text, an MPD never mixes them. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

/** Longest document, in characters. */
export const MAX_XML_LENGTH = 4 * 1024 * 1024;
/** Deepest nesting of elements. */
export const MAX_XML_DEPTH = 16;
/** Most elements of a document. */
export const MAX_XML_ELEMENTS = 100_000;
/** Most attributes of an element. */
export const MAX_XML_ATTRIBUTES = 64;

const XML = 'XML 1.0 §2';

/** What an attribute of an element to be written may be; undefined leaves it out. */
export type XmlValue = string | number | boolean | undefined;

/** Makes an element. */
export function xmlElement(
  name: string,
  attributes: Readonly<Record<string, XmlValue>> = {},
  content: readonly XmlElement[] | string = [],
): XmlElement {
  const known = new Map<string, string>();
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) known.set(key, String(value));
  }
  return typeof content === 'string'
    ? { name, attributes: known, children: [], text: content }
    : { name, attributes: known, children: content, text: '' };
}

/** A document with its declaration, two spaces per level. Values may hold any text: what XML forbids is left out. */
export function writeXml(root: XmlElement): string {
  const out: string[] = ['<?xml version="1.0" encoding="UTF-8"?>\n'];
  writeElement(out, root, '');
  return out.join('');
}

function writeElement(out: string[], element: XmlElement, indent: string): void {
  out.push(indent, '<', element.name);
  for (const [name, value] of element.attributes) out.push(' ', name, '="', escapeXml(value, true), '"');
  if (element.children.length > 0) {
    out.push('>\n');
    for (const child of element.children) writeElement(out, child, `${indent}  `);
    out.push(indent, '</', element.name, '>\n');
  } else if (element.text !== '') out.push('>', escapeXml(element.text, false), '</', element.name, '>\n');
  else out.push('/>\n');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 §2.2 forbids exactly these
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\ud800-\udfff]/gu;

/**
 * Text as it may stand in an element or between the quotes of an attribute (XML 1.0 §2.4). Line ends and tabs of
 * attributes become references, because a parser would make them blanks (§3.3.3).
 */
export function escapeXml(text: string, attribute: boolean): string {
  const safe = text
    .replace(FORBIDDEN, '')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/\r/g, '&#13;');
  if (!attribute) return safe;
  return safe.replace(/"/g, '&quot;').replace(/\n/g, '&#10;').replace(/\t/g, '&#9;');
}

const NAME = /[A-Za-z_:][\w:.-]*/y;
const SPACE = /[ \t\r\n]*/y;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/**
 * Reads a document. Well-formed or refused; document types, processing instructions behind the declaration and
 * entities of their own are refused, since an MPD needs none and they are how parsers are attacked.
 * @throws ParseError `DASH_XML` or `DASH_LIMIT`.
 */
export function parseXml(text: string): XmlElement {
  if (text.length > MAX_XML_LENGTH) {
    throw new ParseError('DASH_LIMIT', XML, `a document of more than ${MAX_XML_LENGTH} characters`);
  }
  return new XmlReader(text).document();
}

class XmlReader {
  readonly #text: string;
  #at = 0;
  #elements = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): XmlElement {
    if (this.#text.startsWith('\ufeff')) this.#at = 1;
    if (this.#text.startsWith('<?xml', this.#at)) this.#at = this.#find('?>') + 2;
    this.#misc();
    const root = this.#element(1);
    this.#misc();
    if (this.#at < this.#text.length) throw this.#fault('text behind the root element');
    return root;
  }

  #misc(): void {
    for (;;) {
      this.#space();
      if (!this.#text.startsWith('<!--', this.#at)) return;
      this.#comment();
    }
  }

  #comment(): void {
    const end = this.#find('--', this.#at + 4);
    if (this.#text[end + 2] !== '>') throw this.#fault('two hyphens in a comment');
    this.#at = end + 3;
  }

  #element(depth: number): XmlElement {
    if (depth > MAX_XML_DEPTH) throw this.#limit(`more than ${MAX_XML_DEPTH} levels`);
    if (++this.#elements > MAX_XML_ELEMENTS) throw this.#limit(`more than ${MAX_XML_ELEMENTS} elements`);
    this.#expect('<');
    const name = this.#name();
    const attributes = this.#attributes();
    if (this.#take('/>')) return { name, attributes, children: [], text: '' };
    this.#expect('>');
    const children: XmlElement[] = [];
    let text = '';
    for (;;) {
      if (this.#take('</')) {
        if (this.#name() !== name) throw this.#fault(`the end tag of ${name} is another's`);
        this.#space();
        this.#expect('>');
        break;
      }
      if (this.#text.startsWith('<!--', this.#at)) this.#comment();
      else if (this.#take('<![CDATA[')) {
        const end = this.#find(']]>');
        text += this.#text.slice(this.#at, end);
        this.#at = end + 3;
      } else if (this.#text[this.#at] === '<') children.push(this.#element(depth + 1));
      else text += this.#characters();
    }
    if (children.length > 0 && text.trim() !== '') throw this.#fault(`text between the elements of ${name}`);
    return { name, attributes, children, text: children.length > 0 ? '' : text };
  }

  #attributes(): ReadonlyMap<string, string> {
    const attributes = new Map<string, string>();
    for (;;) {
      const before = this.#at;
      this.#space();
      const next = this.#text[this.#at];
      if (next === '>' || next === '/' || next === undefined) return attributes;
      if (this.#at === before) throw this.#fault('no blank in front of an attribute');
      const name = this.#name();
      if (attributes.has(name)) throw this.#fault(`${name} twice`);
      if (attributes.size >= MAX_XML_ATTRIBUTES)
        throw this.#limit(`more than ${MAX_XML_ATTRIBUTES} attributes`);
      this.#space();
      this.#expect('=');
      this.#space();
      const quote = this.#text[this.#at];
      if (quote !== '"' && quote !== "'") throw this.#fault(`${name} without quotes`);
      const end = this.#find(quote, this.#at + 1);
      const raw = this.#text.slice(this.#at + 1, end);
      if (raw.includes('<')) throw this.#fault(`${name} holds a <`);
      attributes.set(name, this.#unescape(raw.replace(/\r\n|[\t\r\n]/g, ' ')));
      this.#at = end + 1;
    }
  }

  #characters(): string {
    const end = this.#find('<');
    const raw = this.#text.slice(this.#at, end);
    if (raw.includes(']]>')) throw this.#fault(']]> in text');
    this.#at = end;
    return this.#unescape(raw.replace(/\r\n?/g, '\n'));
  }

  #unescape(raw: string): string {
    FORBIDDEN.lastIndex = 0;
    if (FORBIDDEN.test(raw)) throw this.#fault('a character that XML forbids');
    if (!raw.includes('&')) return raw;
    return raw.replace(/&([^;&]{0,10});?/g, (whole, body: string) => {
      if (!whole.endsWith(';')) throw this.#fault('a lone &');
      const number = /^#(?:(\d{1,7})|x([0-9A-Fa-f]{1,6}))$/.exec(body);
      if (number === null) {
        const character = Object.hasOwn(ENTITIES, body) ? ENTITIES[body] : undefined;
        if (character === undefined) throw this.#fault(`unknown entity ${body}`);
        return character;
      }
      const code = number[1] === undefined ? Number.parseInt(number[2]!, 16) : Number(number[1]);
      const character = code <= 0x10ffff ? String.fromCodePoint(code) : '\u0000';
      FORBIDDEN.lastIndex = 0;
      if (FORBIDDEN.test(character)) throw this.#fault('a character that XML forbids');
      return character;
    });
  }

  #name(): string {
    NAME.lastIndex = this.#at;
    const match = NAME.exec(this.#text);
    if (match === null) throw this.#fault('a name was expected');
    this.#at += match[0].length;
    return match[0];
  }

  #space(): void {
    SPACE.lastIndex = this.#at;
    this.#at += SPACE.exec(this.#text)![0].length;
  }

  #take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw this.#fault(`${token} was expected`);
  }

  #find(token: string, from = this.#at): number {
    const end = this.#text.indexOf(token, from);
    if (end < 0) throw this.#fault(`${token} is missing`);
    return end;
  }

  #fault(message: string): ParseError {
    return new ParseError('DASH_XML', XML, message, this.#at);
  }

  #limit(message: string): ParseError {
    return new ParseError('DASH_LIMIT', XML, message, this.#at);
  }
}
