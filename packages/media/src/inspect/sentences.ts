/**
 * What the inspector says in its own words; `{name}` stands for a value. The code of a finding is what stands before the
 * slash. Whoever shows findings in another language translates these; what parsers and playlist rules say is English.
 */
export const SENTENCES = {
  'format-unknown': 'The first bytes are none of MP4, WebM/Matroska, FLV, MPEG-TS, HLS or DASH.',
  'format-unknown/empty': 'The file is empty.',
  'start-apart/after': 'The sound begins {seconds} s after the picture.',
  'start-apart/before': 'The sound begins {seconds} s before the picture.',
  'end-apart/after': 'The sound ends {seconds} s after the picture: the tracks are not equally long.',
  'end-apart/before': 'The sound ends {seconds} s before the picture: the tracks are not equally long.',
  'track-empty': 'Track {track} ({kind}, {codec}) has no samples.',
  'time-backwards': 'Track {track}: {count} times the decoding time does not go on.',
  'time-backwards/once': 'Track {track}: once the decoding time does not go on.',
  'time-gap': 'Track {track}: {count} times a hole of more than half a second.',
  'time-gap/once': 'Track {track}: once a hole of more than half a second.',
  'no-keyframe': 'Track {track} has no keyframe: no player can begin with it.',
  'gop-long': 'Track {track}: up to {seconds} s from keyframe to keyframe, so joining and seeking are slow.',
  'parameters-change': 'Track {track} changes its parameters at {at} s.',
  multivariant: 'A multivariant playlist of {variants} variants.',
  'media-playlist/complete': 'A media playlist of {segments} segments, {seconds} s, complete.',
  'media-playlist/growing': 'A media playlist of {segments} segments, {seconds} s, still growing.',
  'manifest/live': 'A live manifest of {periods} periods and {representations} representations.',
  'manifest/complete': 'A complete manifest of {periods} periods and {representations} representations.',
  'BYTES_OUT_OF_RANGE/tag': 'The file ends within a tag: it is cut off.',
  TS_LIMIT: '{count} further faults of the transport stream are not listed.',
  'TS_SECTION/none': 'No program map was found: nothing tells what the packets carry.',
  'clock-backwards': 'The program clock steps back {count} times.',
  'clock-sparse': 'Up to {ms} ms from one clock reference to the next; 100 ms are allowed.',
  'clock-missing': 'There is no program clock reference.',
  'MP4_BOX_MISSING/moov': 'There is no moov box: nothing tells what the media are.',
  'MP4_BOX_COUNT/more': 'More than {most} boxes: the rest is not listed.',
  'MP4_BOX_SIZE/rest': '{bytes} bytes are left, too few for the header of a box.',
  'MP4_BOX_SIZE/file':
    'Box {box} announces {bytes} bytes, but the file ends after {left}: it is cut off or its size is wrong.',
  'MP4_BOX_SIZE/box':
    'Box {box} announces {bytes} bytes, but the box around it ends after {left}: it is cut off or its size is wrong.',
  'MP4_BOX_SIZE/last': 'The file ends within its last box.',
  'MP4_BOX_SIZE/large': '{box} has {bytes} bytes, more than the {most} that are looked into.',
  'MP4_TRACKS/unknown': 'A fragment of track {track}, which moov does not know.',
  'MP4_RUN/beyond':
    'Sample {sample} of track {track} should lie at byte {offset}, {bytes} bytes long, but the file ends before its end.',
  'MP4_RUN/overlap': 'The samples overlap: together they are longer than the file.',
  fragmented:
    'Fragmented: after moov come {fragments} fragments (moof and mdat), each with its own tables. So it can be written while it is recorded, played while it is fetched, and handed to Media Source Extensions piece by piece.',
  'not-fragmented':
    'Not fragmented: one table (moov) describes all samples. Players open it well, but Media Source Extensions, HLS and DASH cannot take it piece by piece, and a recording that is cut off before moov is lost. `onair fragment` makes it fragmented without encoding anew.',
  'moov-last': 'moov stands behind the media: a player has to fetch the end of the file before it can begin.',
} as const;

/** Name of a sentence. */
export type SentenceKey = keyof typeof SENTENCES;
/** What stands in the places of a sentence. */
export type SentenceValues = Readonly<Record<string, string | number>>;

/** `text` with each `{name}` replaced by the value of that name. */
export function filled(text: string, values: SentenceValues): string {
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
