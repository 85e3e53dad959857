import { ParseError } from '../model/errors.ts';
import { Attributes } from './attributes.ts';
import type { DateRange, Key, Part, PreloadHint, RenditionReport, ServerControl, Skip } from './model.ts';
import { quote, readByteRange, readDateTime } from './values.ts';

/** `EXT-X-SERVER-CONTROL`. RFC 8216bis §4.4.3.8. */
export function readServerControl(value: string): ServerControl {
  const attributes = new Attributes('EXT-X-SERVER-CONTROL', value);
  return {
    canBlockReload: attributes.yes('CAN-BLOCK-RELOAD'),
    canSkipUntil: attributes.decimal('CAN-SKIP-UNTIL'),
    canSkipDateRanges: attributes.yes('CAN-SKIP-DATERANGES') || undefined,
    holdBack: attributes.decimal('HOLD-BACK'),
    partHoldBack: attributes.decimal('PART-HOLD-BACK'),
  };
}

/** `EXT-X-SKIP`. RFC 8216bis §4.4.5.2. */
export function readSkip(value: string): Skip {
  const attributes = new Attributes('EXT-X-SKIP', value);
  const removed = attributes.quoted('RECENTLY-REMOVED-DATERANGES');
  return {
    skippedSegments: attributes.requireInteger('SKIPPED-SEGMENTS'),
    recentlyRemovedDateRanges: removed === undefined ? undefined : removed.split('\t').filter(Boolean),
  };
}

/** `EXT-X-PART`. RFC 8216bis §4.4.4.9. */
export function readPart(value: string): Part {
  const attributes = new Attributes('EXT-X-PART', value);
  const range = attributes.quoted('BYTERANGE');
  return {
    uri: attributes.requireQuoted('URI'),
    duration: attributes.requireDecimal('DURATION'),
    independent: attributes.yes('INDEPENDENT'),
    ...(attributes.yes('GAP') ? { gap: true } : {}),
    ...(range === undefined ? {} : { byteRange: readByteRange('EXT-X-PART', range) }),
  };
}

/** `EXT-X-PRELOAD-HINT`. RFC 8216bis §4.4.5.3. */
export function readPreloadHint(value: string): PreloadHint {
  const attributes = new Attributes('EXT-X-PRELOAD-HINT', value);
  const type = attributes.requireEnumerated('TYPE');
  if (type !== 'PART' && type !== 'MAP') {
    throw new ParseError('HLS_ATTRIBUTE', 'RFC 8216bis §4.4.5.3', `a hint of type ${quote(type)}`);
  }
  return {
    type,
    uri: attributes.requireQuoted('URI'),
    byteRangeStart: attributes.integer('BYTERANGE-START'),
    byteRangeLength: attributes.integer('BYTERANGE-LENGTH'),
  };
}

/** `EXT-X-RENDITION-REPORT`. RFC 8216bis §4.4.5.4. */
export function readRenditionReport(value: string): RenditionReport {
  const attributes = new Attributes('EXT-X-RENDITION-REPORT', value);
  return {
    uri: attributes.requireQuoted('URI'),
    lastMsn: attributes.integer('LAST-MSN'),
    lastPart: attributes.integer('LAST-PART'),
  };
}

/** `EXT-X-KEY`. RFC 8216 §4.3.2.4. */
export function readKey(value: string): Key {
  const attributes = new Attributes('EXT-X-KEY', value);
  const method = attributes.requireEnumerated('METHOD');
  const uri = attributes.quoted('URI');
  if ((method === 'NONE') === (uri !== undefined)) {
    throw new ParseError(
      'HLS_ATTRIBUTE',
      'RFC 8216 §4.3.2.4',
      `a key with METHOD=${method}, URI ${quote(uri)}`,
    );
  }
  const iv = attributes.enumerated('IV');
  if (iv !== undefined && !/^0[xX][0-9a-fA-F]{1,32}$/.test(iv)) {
    throw new ParseError('HLS_ATTRIBUTE', 'RFC 8216 §4.3.2.4', `a key with IV ${quote(iv)}`);
  }
  return {
    method,
    uri,
    iv,
    keyFormat: attributes.quoted('KEYFORMAT'),
    keyFormatVersions: attributes.quoted('KEYFORMATVERSIONS'),
  };
}

/** `EXT-X-DATERANGE`. RFC 8216 §4.3.2.7. */
export function readDateRange(value: string): DateRange {
  const tag = 'EXT-X-DATERANGE';
  const attributes = new Attributes(tag, value);
  const start = attributes.quoted('START-DATE');
  const end = attributes.quoted('END-DATE');
  const client = new Map<string, string>();
  for (const [name, written] of attributes.entries()) {
    if (name.startsWith('X-') || name.startsWith('SCTE35-')) client.set(name, written);
  }
  return {
    id: attributes.requireQuoted('ID'),
    class: attributes.quoted('CLASS'),
    startDate: start === undefined ? undefined : readDateTime(tag, start),
    endDate: end === undefined ? undefined : readDateTime(tag, end),
    duration: attributes.decimal('DURATION'),
    plannedDuration: attributes.decimal('PLANNED-DURATION'),
    endOnNext: attributes.yes('END-ON-NEXT') || undefined,
    client,
  };
}
