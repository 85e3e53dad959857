import type { Track } from '../model/sample.ts';
import { id3Descriptor, id3PointerDescriptor } from './id3.ts';
import type { TsTracks } from './mux-input.ts';
import { STREAM_TYPE, streamTypeOf } from './stream-type.ts';
import type { TsDescriptor, TsProgramMap, TsStreamInfo } from './tables.ts';

/** PIDs of what the muxer writes. */
export const MUX_PID = { map: 0x1000, video: 0x100, audio: 0x101, metadata: 0x102, splices: 0x103 } as const;
/** The one program. */
export const PROGRAM = 1;

const REGISTRATION = 0x05;
const LANGUAGE = 0x0a;

/**
 * The map of a program with these tracks.
 * @returns undefined if a transport stream cannot carry one of them.
 */
export function programOf(tracks: TsTracks, version: number): TsProgramMap | undefined {
  const streams: TsStreamInfo[] = [];
  for (const kind of ['video', 'audio'] as const) {
    const track = tracks[kind];
    if (track === undefined) continue;
    const streamType = streamTypeOf(track.parameters);
    if (streamType === undefined) return undefined;
    streams.push({ pid: MUX_PID[kind], streamType, descriptors: descriptorsOf(track, streamType) });
  }
  const first = streams[0];
  if (first === undefined) return undefined;
  const metadata = tracks.metadata === true;
  if (metadata) {
    streams.push({ pid: MUX_PID.metadata, streamType: STREAM_TYPE.metadata, descriptors: [id3Descriptor()] });
  }
  const splices = tracks.splices === true;
  if (splices) streams.push({ pid: MUX_PID.splices, streamType: STREAM_TYPE.scte35, descriptors: [] });
  return {
    program: PROGRAM,
    version,
    pcrPid: first.pid,
    descriptors: [
      ...(metadata ? [id3PointerDescriptor(PROGRAM)] : []),
      // SCTE 35 §8.1: the program says that its cues are of this kind.
      ...(splices ? [{ tag: REGISTRATION, content: Uint8Array.from(ascii('CUEI')) }] : []),
    ],
    streams,
  };
}

function descriptorsOf({ parameters, language }: Track, streamType: number): TsDescriptor[] {
  const descriptors: TsDescriptor[] = [];
  if (streamType === STREAM_TYPE.ac3) descriptors.push({ tag: REGISTRATION, content: ascii('AC-3') });
  if (streamType === STREAM_TYPE.eac3) descriptors.push({ tag: REGISTRATION, content: ascii('EAC3') });
  if (streamType === STREAM_TYPE.hevc) descriptors.push({ tag: REGISTRATION, content: ascii('HEVC') });
  // ISO 639-2 has three letters; a shorter tag names no code of it.
  if (parameters.kind === 'audio' && language !== undefined && /^[a-z]{3}$/.test(language)) {
    descriptors.push({ tag: LANGUAGE, content: Uint8Array.of(...ascii(language), 0) });
  }
  return descriptors;
}

/** Language of an elementary stream as its descriptor has it, ISO 639-2; undefined if it tells none. */
export function languageOf({ descriptors }: TsStreamInfo): string | undefined {
  const content = descriptors.find(({ tag }) => tag === LANGUAGE)?.content;
  const code = content === undefined ? '' : String.fromCharCode(...content.subarray(0, 3));
  return /^[a-z]{3}$/.test(code) && code !== 'und' ? code : undefined;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}
