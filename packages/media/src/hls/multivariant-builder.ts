import { ParseError } from '../model/errors.ts';
import { Attributes } from './attributes.ts';
import type { Line } from './lines.ts';
import type { MultivariantPlaylist, Rendition, Start, Variant } from './model.ts';
import { quote, readInteger, readStart } from './values.ts';

const TYPES = ['AUDIO', 'VIDEO', 'SUBTITLES', 'CLOSED-CAPTIONS'] as const;

/** Builds a multivariant playlist from its lines, in order. One builder per playlist. */
export class MultivariantBuilder {
  #version = 1;
  #independentSegments = false;
  #start: Start | undefined;
  #variant: Omit<Variant, 'uri'> | undefined;
  readonly #renditions: Rendition[] = [];
  readonly #variants: Variant[] = [];

  /** @throws ParseError `HLS_SYNTAX` or `HLS_ATTRIBUTE`. */
  read(lines: readonly Line[]): MultivariantPlaylist {
    for (const line of lines) {
      if (line.kind === 'uri') this.#address(line.uri, line.at);
      else if (this.#variant !== undefined) {
        syntax('RFC 8216 §4.3.4.2', `line ${line.at}: the address must follow #EXT-X-STREAM-INF`);
      } else this.#tag(line.name, line.value);
    }
    if (this.#variant !== undefined) syntax('RFC 8216 §4.3.4.2', 'the last variant has no address');
    return {
      version: this.#version,
      independentSegments: this.#independentSegments,
      start: this.#start,
      renditions: this.#renditions,
      variants: this.#variants,
    };
  }

  #address(uri: string, at: number): void {
    if (this.#variant === undefined) {
      syntax('RFC 8216 §4.3.4.2', `line ${at}: an address without #EXT-X-STREAM-INF`);
    }
    this.#variants.push({ ...this.#variant, uri });
    this.#variant = undefined;
  }

  #tag(name: string, value = ''): void {
    switch (name) {
      case 'EXT-X-VERSION':
        this.#version = readInteger(name, value);
        break;
      case 'EXT-X-INDEPENDENT-SEGMENTS':
        this.#independentSegments = true;
        break;
      case 'EXT-X-START':
        this.#start = readStart(value);
        break;
      case 'EXT-X-MEDIA':
        this.#renditions.push(readRendition(value));
        break;
      case 'EXT-X-STREAM-INF':
        this.#variant = readVariant(value);
        break;
    }
  }
}

/** `EXT-X-MEDIA`. RFC 8216 §4.3.4.1. */
function readRendition(value: string): Rendition {
  const attributes = new Attributes('EXT-X-MEDIA', value);
  const written = attributes.requireEnumerated('TYPE');
  const type = TYPES.find((known) => known === written);
  if (type === undefined) {
    throw new ParseError('HLS_ATTRIBUTE', 'RFC 8216 §4.3.4.1', `a rendition of type ${quote(written)}`);
  }
  return {
    type,
    groupId: attributes.requireQuoted('GROUP-ID'),
    name: attributes.requireQuoted('NAME'),
    uri: attributes.quoted('URI'),
    language: attributes.quoted('LANGUAGE'),
    default: attributes.yes('DEFAULT'),
    autoselect: attributes.yes('AUTOSELECT'),
    forced: attributes.yes('FORCED') || undefined,
    characteristics: attributes.quoted('CHARACTERISTICS'),
    channels: attributes.quoted('CHANNELS'),
    instreamId: attributes.quoted('INSTREAM-ID'),
  };
}

/** `EXT-X-STREAM-INF`. RFC 8216 §4.3.4.2. */
function readVariant(value: string): Omit<Variant, 'uri'> {
  const attributes = new Attributes('EXT-X-STREAM-INF', value);
  const size = attributes.enumerated('RESOLUTION');
  const match = size === undefined ? undefined : /^(\d{1,6})x(\d{1,6})$/.exec(size);
  if (match === null) {
    throw new ParseError('HLS_ATTRIBUTE', 'RFC 8216 §4.2', `a resolution of ${quote(size)}`);
  }
  return {
    bandwidth: attributes.requireInteger('BANDWIDTH'),
    averageBandwidth: attributes.integer('AVERAGE-BANDWIDTH'),
    codecs: attributes.quoted('CODECS'),
    resolution: match === undefined ? undefined : { width: Number(match[1]), height: Number(match[2]) },
    frameRate: attributes.decimal('FRAME-RATE'),
    videoRange: attributes.enumerated('VIDEO-RANGE'),
    name: attributes.quoted('NAME'),
    audio: attributes.quoted('AUDIO'),
    video: attributes.quoted('VIDEO'),
    subtitles: attributes.quoted('SUBTITLES'),
    closedCaptions: attributes.written('CLOSED-CAPTIONS')?.replaceAll('"', ''),
  };
}

function syntax(clause: string, message: string): never {
  throw new ParseError('HLS_SYNTAX', clause, message);
}
