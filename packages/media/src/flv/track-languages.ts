import { type AmfObject, amfObject, amfProperties } from '../amf/index.ts';
import type { Track } from '../model/sample.ts';

/** Longest language tag that is taken, in characters (RFC 5646 §4.4.1 asks for 35). */
const MAX_LANGUAGE_LENGTH = 35;
const FORM = /^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$/;

/** Keys of the tracks of a kind, and our id of the first of them; ids of further ones are 2 apart. */
const MAPS = [
  ['videoTrackIdInfoMap', 1],
  ['audioTrackIdInfoMap', 2],
] as const;

/**
 * Languages of tracks by our track id, from `onMetaData`: `language` in the entries of audioTrackIdInfoMap and
 * videoTrackIdInfoMap (Enhanced RTMP v2, Enhancing onMetaData), and `audiolanguage` or `language` for track 0.
 */
export function trackLanguages(metadata: AmfObject | undefined): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  const note = (id: number, value: unknown): void => {
    if (typeof value !== 'string' || value.length > MAX_LANGUAGE_LENGTH || !FORM.test(value)) return;
    found.set(id, value);
  };
  note(2, metadata?.language);
  note(2, metadata?.audiolanguage);
  for (const [key, first] of MAPS) {
    for (const [id, entry] of Object.entries(amfProperties(metadata?.[key]) ?? {})) {
      if (/^\d{1,2}$/.test(id)) note(first + 2 * Number(id), amfProperties(entry)?.language);
    }
  }
  return found;
}

/** The properties of `onMetaData` that tell the languages of these tracks, as {@link trackLanguages} reads them; none if none has one. */
export function languageProperties(tracks: readonly Track[]): AmfObject {
  const properties = amfObject();
  for (const [key, first] of MAPS) {
    const entries = amfObject();
    for (const { id, language } of tracks) {
      const number = (id - first) / 2;
      if (language === undefined || !Number.isInteger(number) || number < 0) continue;
      if (id === 2) properties.audiolanguage = language;
      else entries[number] = Object.assign(amfObject(), { language });
    }
    if (Object.keys(entries).length > 0) properties[key] = entries;
  }
  return properties;
}
