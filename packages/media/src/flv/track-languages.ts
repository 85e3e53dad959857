import { type AmfObject, amfProperties } from '../amf/index.ts';

/** Longest language tag that is taken, in characters (RFC 5646 §4.4.1 asks for 35). */
const MAX_LANGUAGE_LENGTH = 35;
const FORM = /^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$/;

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
  for (const [key, first] of [
    ['videoTrackIdInfoMap', 1],
    ['audioTrackIdInfoMap', 2],
  ] as const) {
    for (const [id, entry] of Object.entries(amfProperties(metadata?.[key]) ?? {})) {
      if (/^\d{1,2}$/.test(id)) note(first + 2 * Number(id), amfProperties(entry)?.language);
    }
  }
  return found;
}
