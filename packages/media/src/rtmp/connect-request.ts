import { type AmfObject, type AmfValue, amfObject, amfProperties } from '../amf/index.ts';

/** What a client asked for with `connect` (RTMP 1.0 §7.2.1.1). Strings are raw and not checked. */
export interface ConnectRequest {
  /** First part of the application path; '' if it was missing or not a string. */
  readonly app: string;
  /** What followed the first `/` of the application path: `app/instance`. `_definst_` counts as none. */
  readonly instance: string;
  /** What followed a `?` in the application path, without it. */
  readonly query: string;
  readonly tcUrl: string;
  readonly flashVer: string;
  readonly swfUrl: string;
  readonly pageUrl: string;
  /** 3 if the client wants AMF3, else 0. */
  readonly objectEncoding: 0 | 3;
  /** Codecs an Enhanced RTMP client lists; undefined for a client that is none. `*` stands for all. */
  readonly fourCcList: readonly string[] | undefined;
  /** Flags of Enhanced RTMP, 0 if none. */
  readonly capsEx: number;
  /** The whole command object. */
  readonly properties: AmfObject;
  /** Arguments behind the command object. */
  readonly args: readonly AmfValue[];
}

/**
 * Reads the values of a `connect` command. The application path is normalised: slashes at both ends
 * and doubled ones go, a query is split off, and what follows the first part is the instance.
 */
export function connectRequest(values: readonly AmfValue[]): ConnectRequest {
  const properties = amfProperties(values[0]) ?? amfObject();
  const [path, query] = splitQuery(text(properties.app));
  const parts = path.split('/').filter((part) => part !== '');
  const instance = parts.slice(1).join('/');
  const maps = [properties.videoFourCcInfoMap, properties.audioFourCcInfoMap].map((map) =>
    amfProperties(map),
  );
  const listed = Array.isArray(properties.fourCcList) ? properties.fourCcList : [];
  const fourCcs = [...listed.map(text), ...maps.flatMap((map) => Object.keys(map ?? {}))].filter(
    (fourCc) => fourCc === '*' || fourCc.length === 4,
  );
  const enhanced = Array.isArray(properties.fourCcList) || maps.some((map) => map !== undefined);
  return {
    app: parts[0] ?? '',
    instance: instance === '_definst_' ? '' : instance,
    query,
    tcUrl: text(properties.tcUrl),
    flashVer: text(properties.flashVer),
    swfUrl: text(properties.swfUrl),
    pageUrl: text(properties.pageUrl),
    objectEncoding: properties.objectEncoding === 3 ? 3 : 0,
    fourCcList: enhanced ? [...new Set(fourCcs)].slice(0, 64) : undefined,
    capsEx: typeof properties.capsEx === 'number' ? properties.capsEx & 0xff : 0,
    properties,
    args: values.slice(1),
  };
}

/** `key?token=x` as `['key', 'token=x']`. */
export function splitQuery(raw: string): readonly [string, string] {
  const at = raw.indexOf('?');
  return at < 0 ? [raw, ''] : [raw.slice(0, at), raw.slice(at + 1)];
}

function text(value: AmfValue): string {
  return typeof value === 'string' ? value : '';
}
