/** Subprotocol of the upload WebSocket, see `docs/protocols/upload.md`. */
export const UPLOAD_SUBPROTOCOL = 'onair.upload.v1';
/** Form of a session's name: chosen by the client, hard to guess. */
export const UPLOAD_SESSION = /^[A-Za-z0-9_-]{16,64}$/;
/** Largest binary message, in octets. */
export const UPLOAD_MAX_MESSAGE = 4 * 1024 * 1024;

/** What an upload came to. */
export interface UploadResult {
  /** Octets received. */
  readonly offset: number;
  /** Seconds of the recording; 0 if nothing is recorded. */
  readonly seconds: number;
  /** Address of the recording's playlist, from the root of the server; empty without a recording. */
  readonly playlist: string;
  /** Address of the finished file, from the root of the server; empty without one. */
  readonly file: string;
}

/** Text messages from the server. Offsets are octets of the media from its beginning. */
export type UploadServerText =
  | {
      readonly type: 'ready';
      readonly session: string;
      /** Where the client goes on. */
      readonly offset: number;
      /** Most octets that may be under way beyond the last offset told. */
      readonly window: number;
    }
  | {
      readonly type: 'ack';
      /** Everything in front of it is on the disk and need not be kept by the client. */
      readonly offset: number;
    }
  | ({ readonly type: 'done' } & UploadResult)
  | { readonly type: 'error'; readonly code: string; readonly detail: string };

/** Text messages from the client. */
export type UploadClientText = { readonly type: 'end' };
