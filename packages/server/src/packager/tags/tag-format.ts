import type { Sample } from '@onair/media';
import {
  encodeFlvTag,
  encodeSampleAsFlvTag,
  preciseVideoTag,
  sampleTagBody,
  sampleTimestampMs,
  type TagType,
} from '@onair/media/flv';
import { ChunkStreamId, encodeSharedMessage } from '@onair/media/rtmp';

/** How FLV tag bodies are framed on a wire: as FLV tags, or as RTMP messages. */
export interface TagFormat {
  readonly name: string;
  /** @param timestampMs not wrapped. */
  body(type: TagType, timestampMs: number, body: Uint8Array): Uint8Array;
  /** One allocation per sample. */
  sample(sample: Sample): Uint8Array;
}

/** FLV tags with header and PreviousTagSize. */
export const FLV_TAGS: TagFormat = {
  name: 'flv',
  body: (type, timestampMs, body) => encodeFlvTag({ type, timestampMs, body }),
  sample: encodeSampleAsFlvTag,
};

const RTMP_TYPE = { audio: 8, video: 9, script: 18 } as const;
const CHUNK_STREAM = {
  audio: ChunkStreamId.audio,
  video: ChunkStreamId.video,
  script: ChunkStreamId.data,
} as const;

/** RTMP messages in the chunk form that is the same for every player: type 0 headers, stream id 1. */
export const RTMP_MESSAGES: TagFormat = {
  name: 'rtmp',
  body: (type, timestampMs, body) =>
    encodeSharedMessage({ csid: CHUNK_STREAM[type], type: RTMP_TYPE[type], timestampMs, body }),
  sample: (sample) => {
    const type = sample.track.parameters.kind === 'video' ? 'video' : 'audio';
    const timestampMs = sampleTimestampMs(sample);
    return encodeSharedMessage({
      csid: CHUNK_STREAM[type],
      type: RTMP_TYPE[type],
      timestampMs,
      body: sampleTagBody(sample),
    });
  },
};

/** The same for players that know nanosecond offsets: pictures have their exact presentation time. */
export const PRECISE_RTMP_MESSAGES: TagFormat = {
  ...RTMP_MESSAGES,
  name: 'rtmp-precise',
  sample: (sample) => {
    const tag = preciseVideoTag(sample);
    return tag === undefined
      ? RTMP_MESSAGES.sample(sample)
      : RTMP_MESSAGES.body('video', tag.timestampMs, tag.body);
  },
};
