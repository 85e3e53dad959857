import { type AmfValue, amfObject, amfOfJson, amfProperties, jsonOfAmf } from '../amf/index.ts';
import { type EventSplice, eventOf, isEventId, isEventName, type TimedEvent } from '../model/timed-event.ts';
import type { ScriptMessage } from './script.ts';

/** Name of the message that tells of a cue point. FLV v10.1 §E.5 knows it from files; players call their client's method. */
export const CUE_POINT = 'onCuePoint';
/** Name of the message that live encoders put SCTE 35 sections into, in base64. */
export const AD_CUE = 'onAdCue';

/** Messages that say something about the connection or the encoder, not to the viewers. */
const NOT_EVENTS: ReadonlySet<string> = new Set([
  'onMetaData',
  'onStatus',
  'onPlayStatus',
  'onFI',
  'onLastSecond',
  '|RtmpSampleAccess',
  '@setDataFrame',
  '@clearDataFrame',
]);

/** What a data message says as an event; where and when it belongs is the message's time. */
export interface ScriptedEvent {
  /** The id it was given by its maker, if that was one of ours. */
  readonly id?: string;
  readonly name: string;
  /** µs. */
  readonly duration: number;
  readonly data: unknown;
  readonly raw?: boolean;
  readonly splice?: EventSplice;
  /** Exact stream time in µs, where the maker was one of ours. */
  readonly time?: number;
}

/** True if a data message may be called so. */
export function isScriptName(name: string): boolean {
  return isEventName(name) && !NOT_EVENTS.has(name);
}

/** An event as data message: `onCuePoint` with all of it in `parameters`, or its own name and values if it is raw. */
export function scriptOfEvent(event: TimedEvent): ScriptMessage {
  const { id, name, time, duration, data, splice } = event;
  if (event.raw === true && isScriptName(name)) {
    return { name, values: (Array.isArray(data) ? data : [data]).map((value) => amfOfJson(value)) };
  }
  const parameters = amfObject();
  parameters.id = id;
  parameters.data = amfOfJson(data);
  parameters.time = time;
  if (duration > 0) parameters.duration = duration;
  if (splice !== undefined) parameters.splice = amfOfJson(splice);
  const cue = amfObject();
  cue.name = name;
  cue.time = time / 1_000_000;
  cue.type = 'event';
  cue.parameters = parameters;
  return { name: CUE_POINT, values: [cue] };
}

/** The event that a publisher's data message is; undefined for one that is none, or too much for JSON. */
export function eventOfScript({ name, values }: ScriptMessage): ScriptedEvent | undefined {
  if (name === CUE_POINT) return cuePoint(amfProperties(values[0]));
  const ad = adCue(name, values);
  if (ad !== undefined) return ad;
  if (!isScriptName(name)) return undefined;
  const data = jsonOfAmf([...values]);
  return data === undefined ? undefined : { name, duration: 0, data, raw: true };
}

function cuePoint(cue: Readonly<Record<string, AmfValue>> | undefined): ScriptedEvent | undefined {
  if (cue === undefined) return undefined;
  const name = isEventName(cue.name) ? cue.name : 'cue';
  const own = amfProperties(cue.parameters);
  if (own !== undefined && isEventId(own.id) && Object.hasOwn(own, 'data')) {
    const event = eventOf({ ...(jsonOfAmf(own) as object), name });
    if (event !== undefined) return event;
  }
  const data = jsonOfAmf(cue.parameters ?? null);
  return data === undefined ? undefined : { name, duration: 0, data };
}

/** `onAdCue` and the like: an object of type `SCTE-35` whose `cue` is a section in base64, times in seconds. */
function adCue(name: string, values: readonly AmfValue[]): ScriptedEvent | undefined {
  const cue = amfProperties(values[0]);
  if (cue === undefined || typeof cue.cue !== 'string' || !/^scte-?35$/i.test(String(cue.type)))
    return undefined;
  const section = hexOfBase64(cue.cue);
  if (section === undefined) return undefined;
  const seconds = typeof cue.duration === 'number' && cue.duration > 0 ? cue.duration : 0;
  return {
    ...(isEventId(cue.id) ? { id: cue.id } : {}),
    name: isEventName(name) ? name : AD_CUE,
    duration: Math.round(Math.min(seconds, 86_400) * 1_000_000),
    data: null,
    splice: { kind: 'command', section },
  };
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Base64 (RFC 4648 §4) as hexadecimal digits; undefined for anything else, or more than 4096 characters. */
export function hexOfBase64(text: string): string | undefined {
  const digits = text.replace(/={1,2}$/, '');
  if (text.length > 4096 || digits.length % 4 === 1 || !/^[A-Za-z0-9+/]+$/.test(digits)) return undefined;
  let bits = 0;
  let held = 0;
  let out = '';
  for (const digit of digits) {
    held = ((held << 6) | BASE64.indexOf(digit)) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out += ((held >> bits) & 0xff).toString(16).padStart(2, '0');
  }
  return out;
}
