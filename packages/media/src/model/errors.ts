/**
 * Malformed input. Thrown where it is seen; the owner of the session decides what closes.
 * Every code is listed in {@link MEDIA_ERROR_CODES} and described in `docs/errors.md`.
 */
export class ParseError extends Error {
  override readonly name = 'ParseError';
  /** Stable, e.g. `RTMP_CHUNK_TOO_LARGE`. */
  readonly code: MediaErrorCode;
  /** Clause that was violated, e.g. `RTMP 1.0 §5.4.1`. */
  readonly clause: string;
  /** Byte offset from the start of the message, where known. */
  readonly offset: number | undefined;

  constructor(code: MediaErrorCode, clause: string, message: string, offset?: number) {
    super(`${message} (${clause})`);
    this.code = code;
    this.clause = clause;
    this.offset = offset;
  }
}

/** Every code a {@link ParseError} can carry. One line each; `docs/errors.md` explains them. */
export const MEDIA_ERROR_CODES = [
  'BYTES_OUT_OF_RANGE',
  'BITS_OUT_OF_RANGE',
  'DASH_ELEMENT',
  'DASH_LIMIT',
  'DASH_VALUE',
  'DASH_XML',
  'HLS_ATTRIBUTE',
  'HLS_HEADER',
  'HLS_LIMIT',
  'HLS_SYNTAX',
  'HLS_TAG',
  'MP4_BOX_COUNT',
  'MP4_BOX_MISSING',
  'MP4_BOX_SIZE',
  'MP4_CHUNK_TOO_LARGE',
  'MP4_CODEC_RECORD',
  'MP4_CODEC_UNSUPPORTED',
  'MP4_RUN',
  'MP4_TRACKS',
  'MP4_VALUE',
  'NAME_INVALID',
  'NAL_MALFORMED',
  'SPS_UNSUPPORTED',
  'CONFIG_MALFORMED',
  'FRAME_MALFORMED',
  'FLV_SIGNATURE_MISSING',
  'FLV_TAG_TYPE_UNKNOWN',
  'FLV_TAG_TOO_LARGE',
  'FLV_TAG_ENCRYPTED',
  'FLV_PACKET_TYPE_UNKNOWN',
  'FLV_CODEC_UNSUPPORTED',
  'FLV_TOO_MANY_TRACKS',
  'FLV_ANNEX_B',
  'FLV_SCRIPT_NAME',
  'AMF_COUNT',
  'AMF_DEPTH',
  'AMF_EXTERNALIZABLE',
  'AMF_MARKER',
  'AMF_REFERENCE',
  'AMF_TOO_LARGE',
  'RTMP_AGGREGATE_INVALID',
  'RTMP_CHUNK_HEADER',
  'RTMP_CHUNK_SIZE',
  'RTMP_CHUNK_STREAMS',
  'RTMP_COMMAND_FLOOD',
  'RTMP_COMMAND_INVALID',
  'RTMP_CONTROL_INVALID',
  'RTMP_ENCRYPTION',
  'RTMP_MESSAGE_TOO_LARGE',
  'RTMP_OUTPUT_LIMIT',
  'RTMP_SHARED_OBJECT_INVALID',
  'RTMP_STATE',
  'RTMP_UNFINISHED_LIMIT',
  'RTMP_URL_INVALID',
  'RTMP_VERSION',
  'RTCP_PACKET',
  'RTP_PACKET',
  'RTP_PAYLOAD',
  'SDP_LIMIT',
  'SDP_OFFER',
  'SDP_SYNTAX',
  'TS_CODEC_UNSUPPORTED',
  'TS_CONTINUITY',
  'TS_CRC',
  'TS_LIMIT',
  'TS_PACKET',
  'TS_PES',
  'TS_SECTION',
  'TS_SYNC',
  'EBML_CRC',
  'EBML_DEPTH',
  'EBML_HEADER_MISSING',
  'EBML_ID',
  'EBML_LIMIT',
  'EBML_SIZE',
  'EBML_VALUE',
  'WEBM_BLOCK',
  'WEBM_CODEC_UNSUPPORTED',
  'WEBM_DOCTYPE',
  'WEBM_TRACKS',
] as const;

/** A code of {@link MEDIA_ERROR_CODES}. */
export type MediaErrorCode = (typeof MEDIA_ERROR_CODES)[number];
