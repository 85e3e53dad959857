/** Subprotocol of the file WebSocket, see `docs/protocols/ws-file.md`. */
export const FILE_SUBPROTOCOL = 'onair.file.v1';
/** Longest name of a media file in UTF-16 units. */
export const MAX_FILE_NAME = 100;

/** Endings of the names of files that can be played, each with its media type. */
export const MEDIA_FILE_TYPES: Readonly<Record<string, string>> = {
  mp4: 'video/mp4',
  m4v: 'video/mp4',
  m4a: 'audio/mp4',
  mov: 'video/quicktime',
  webm: 'video/webm',
  mkv: 'video/x-matroska',
  flv: 'video/x-flv',
  ts: 'video/mp2t',
};

/** One file of the folder. */
export interface MediaFileInfo {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the Unix epoch. */
  readonly modified: number;
}

/** Answer of `GET /files/list`. */
export interface MediaFileList {
  readonly files: readonly MediaFileInfo[];
  /** Most bytes of one file. */
  readonly maxBytes: number;
  /** Whether whoever asks may add files without a key. */
  readonly open: boolean;
}

/** Text message that the server sends first. */
export interface FileHello {
  readonly type: 'hello';
  readonly protocol: typeof FILE_SUBPROTOCOL;
  readonly name: string;
  /** Container on the disk: `mp4`, `webm`, `flv` or `mpegts`. */
  readonly container: string;
  /** Bytes. */
  readonly size: number;
  /** Seconds. */
  readonly duration: number;
}

/** Text messages from the server. */
export type FileServerText =
  | FileHello
  /** What follows begins at `start` seconds, at the keyframe before the place that was asked for. */
  | { readonly type: 'seeked'; readonly id: number; readonly start: number }
  /** Bytes read of the file so far. */
  | { readonly type: 'read'; readonly bytes: number }
  /** The file is over; a seek begins again. */
  | { readonly type: 'end' }
  | { readonly type: 'error'; readonly code: string; readonly detail: string };

/** Text messages from the client. */
export type FileClientText =
  /** The server may send up to `until` seconds of the file. */
  | { readonly type: 'want'; readonly until: number }
  /** Begin anew at the keyframe at or before `to` seconds. */
  | { readonly type: 'seek'; readonly id: number; readonly to: number };
