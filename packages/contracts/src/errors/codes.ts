/** One entry of the registry of errors that a person or a program can meet outside the media path. */
export interface ErrorEntry {
  /** HTTP status that goes with the code. */
  readonly status: number;
  /** Short name of the kind of error; the same for every occurrence (RFC 9457 §3.1.3). */
  readonly title: string;
  /** What it means and what to do about it; the text of `docs/errors.md`. */
  readonly description: string;
}

/**
 * Every error code of the HTTP interface, the API and the WebSocket endpoints.
 * Codes are stable: a program may compare them, a later version never gives one another meaning.
 */
export const ERROR_CODES = {
  BAD_REQUEST: {
    status: 400,
    title: 'The request cannot be understood',
    description: 'The request line, a header or the body is malformed. Correct it before trying again.',
  },
  INVALID_FIELD: {
    status: 400,
    title: 'A field has a wrong value',
    description:
      'A query parameter or a field of the body is missing, unknown or of the wrong kind. `errors` names each path with what was expected and what was received.',
  },
  STREAM_NAME_INVALID: {
    status: 400,
    title: 'Not a stream name',
    description:
      'Streams are named `APP/NAME` with 1 to 64 characters of `A-Z a-z 0-9 _ -` in each part. Nobody publishes to the applications `api`, `assets`, `compare`, `embed`, `relay`, `room`, `talk` and `watch`: their addresses are those of pages.',
  },
  STREAM_KEY_REQUIRED: {
    status: 401,
    title: 'Publishing needs a stream key',
    description:
      'Publishing from this address needs the stream key as bearer token: `Authorization: Bearer KEY`.',
  },
  AUTH_REQUIRED: {
    status: 401,
    title: 'Sign in first',
    description:
      'The route is for the operator. Send `Authorization: Bearer TOKEN` with the token in the data folder, or open the sign-in page.',
  },
  AUTH_FAILED: {
    status: 401,
    title: 'The token is not valid',
    description: 'The token or the session is wrong, expired or signed out.',
  },
  PUBLISH_REFUSED: {
    status: 403,
    title: 'Publishing refused',
    description:
      'Publishing from this address needs the right stream key, or is not possible at all where `auth.lists` denies it. The answer is the same for a wrong key and for a stream that does not exist.',
  },
  PLAY_REFUSED: {
    status: 403,
    title: 'Playing refused',
    description:
      'The lists of the server (`auth.lists`) do not let this address play streams of the application.',
  },
  ADDRESS_NOT_PUBLIC: {
    status: 403,
    title: 'The address is not of the public network',
    description:
      'What is to be fetched lies in this machine or in a private network. `proxy.private` allows it, for everybody who may use the live proxy.',
  },
  ADMIN_LOCAL_ONLY: {
    status: 403,
    title: 'Only from this machine',
    description:
      'The operator’s routes answer loopback only, until `admin.remote` is true or `host` names the address to listen on.',
  },
  ORIGIN_REFUSED: {
    status: 403,
    title: 'Origin refused',
    description:
      'A page of another origin tried to change something or to open a socket. List its origin in `http.allowedOrigins` if it may.',
  },
  ROOM_NAME_INVALID: {
    status: 400,
    title: 'Not a room name',
    description: 'Rooms are named with 1 to 64 letters and digits of any script, `_`, `-` and `.`.',
  },
  ROOM_MESSAGE_INVALID: {
    status: 400,
    title: 'Not a message of a room',
    description:
      'An event or a message is unknown, too long or has a wrong field; `detail` names it. It went to nobody.',
  },
  ROOM_PASSWORD_WRONG: {
    status: 403,
    title: 'The room has another password',
    description: 'The room is listed in `rooms.locks`. Enter with its password.',
  },
  ROOM_NOT_ENTERED: {
    status: 403,
    title: 'Not in a room',
    description:
      'Messages go to the room that was entered; enter one first. Its members alone can be addressed.',
  },
  PEER_MESSAGE_INVALID: {
    status: 400,
    title: 'Not a message of a peer',
    description:
      'A message is unknown, too long or has a wrong field; `detail` names it. The connection is closed.',
  },
  NOT_FOUND: {
    status: 404,
    title: 'Nothing here',
    description: 'No page, file or route has this address.',
  },
  STREAM_NOT_FOUND: {
    status: 404,
    title: 'No such stream',
    description: 'Nobody publishes a stream of this name and nobody waits for it.',
  },
  CODEC_NOT_CARRIED: {
    status: 404,
    title: 'This output does not carry the codec',
    description:
      'The stream is on air, but with a codec that this format has no place for, such as AV1 or Opus in MPEG-TS. `detail` names it. Watch by another output.',
  },
  METHOD_NOT_FOUND: {
    status: 404,
    title: 'No such method',
    description: 'The application has no script, or its script has no method of this name.',
  },
  SESSION_NOT_FOUND: {
    status: 404,
    title: 'No such session',
    description: 'The session has ended or never was.',
  },
  KEY_NOT_FOUND: {
    status: 404,
    title: 'No such stream key',
    description: 'The key was deleted or never was.',
  },
  EVENT_NOT_FOUND: {
    status: 404,
    title: 'No such event waits',
    description: 'The event was never scheduled, was cancelled, or is already on its way to the viewers.',
  },
  POLL_NOT_FOUND: {
    status: 404,
    title: 'No such question',
    description: 'The question or the choice does not exist, or the server has forgotten it.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    title: 'Method not allowed',
    description: 'The address exists, but not for this method; the `Allow` header lists those it takes.',
  },
  REQUEST_TIMEOUT: {
    status: 408,
    title: 'The request took too long',
    description: 'The head or the body did not arrive within its deadline.',
  },
  STREAM_NAME_IN_USE: {
    status: 409,
    title: 'Somebody publishes under this name',
    description:
      'A stream has one publisher. `hub.takeover` decides whether a second one is refused, takes over or stands by.',
  },
  PEER_ID_TAKEN: {
    status: 409,
    title: 'Another peer has this id',
    description:
      'An id belongs to the peer that claimed it first, with a secret of its own, until a minute after it is gone. Take another id.',
  },
  ROOM_HAS_TALKER: {
    status: 409,
    title: 'Somebody else is on air in this room',
    description: 'A room has one talker at a time, until it ends the talk or leaves.',
  },
  ROOM_FULL: {
    status: 409,
    title: 'The room is full',
    description: 'The room has `rooms.maxMembers` members, or there are `rooms.maxRooms` rooms.',
  },
  STREAM_OFF_AIR: {
    status: 409,
    title: 'The stream is not on air',
    description: 'An event needs a stream that is live, or waits for its publisher to come back.',
  },
  POLL_CLOSED: {
    status: 409,
    title: 'The question takes no more answers',
    description: 'It was closed by the operator, or its time is over.',
  },
  ALREADY_ANSWERED: {
    status: 409,
    title: 'This viewer has answered',
    description: 'Each viewer has one answer to a question; the first one counts.',
  },
  LIMIT_REACHED: {
    status: 409,
    title: 'A limit is reached',
    description: 'As many of these exist as the server keeps; delete one first.',
  },
  FILE_EXISTS: {
    status: 409,
    title: 'There is such a file',
    description: 'A file of this name is in the folder of media files; delete it first.',
  },
  FILE_OFFSET: {
    status: 409,
    title: 'Another offset',
    description:
      'Bytes were added at another place of a file than where it ends. `detail` says how many there are; go on there.',
  },
  GONE: {
    status: 410,
    title: 'No longer here',
    description: 'This part of the stream was here and is no longer kept.',
  },
  SESSION_CHANGED: {
    status: 412,
    title: 'Another state of the session',
    description: '`If-Match` does not name the entity tag that the session was made with (RFC 9725 §4.3.1).',
  },
  BODY_TOO_LARGE: {
    status: 413,
    title: 'The body is too large',
    description: 'The body is longer than `http.maxBodyBytes`.',
  },
  URI_TOO_LONG: {
    status: 414,
    title: 'The address is too long',
    description: 'A part of the path is longer than any name may be.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    title: 'Unsupported kind of body',
    description: 'The route does not take a body of this `Content-Type`.',
  },
  UPLOAD_MEDIA: {
    status: 422,
    title: 'The upload is no media that can be used',
    description:
      'What was uploaded is neither WebM, Matroska nor fragmented MP4, nor an MPEG-TS where that belongs, or damaged beyond use. `detail` has the code of the fault. Begin a new upload.',
  },
  HOST_REFUSED: {
    status: 421,
    title: 'Unknown host name',
    description:
      'The `Host` header is neither an address nor a known name of this server, as after DNS rebinding. List the name in `http.allowedHosts`.',
  },
  OFFER_REFUSED: {
    status: 422,
    title: 'The offer cannot be answered',
    description:
      'The SDP offer holds nothing that can be carried, or is not what RFC 9725 asks for: one bundled transport, media sent by a publisher and received by a viewer. `detail` says what.',
  },
  ICE_RESTART_REFUSED: {
    status: 422,
    title: 'No ICE restart',
    description:
      'Sessions here trickle candidates, but do not restart ICE. Begin another session (RFC 9725 §4.3).',
  },
  UPGRADE_REQUIRED: {
    status: 426,
    title: 'This address speaks WebSocket',
    description: 'Open it as a WebSocket (RFC 6455 version 13).',
  },
  IF_MATCH_REQUIRED: {
    status: 428,
    title: 'If-Match is missing',
    description:
      'A change of a session names the entity tag from the answer to its offer in `If-Match` (RFC 9725 §4.3.1).',
  },
  TOO_MANY_ATTEMPTS: {
    status: 429,
    title: 'Too many failed attempts',
    description:
      'The address failed `auth.failuresPerMinute` times within a minute. `Retry-After` tells when to try again.',
  },
  TOO_MANY_REQUESTS: {
    status: 429,
    title: 'Too many requests',
    description: 'The client asks faster than the route answers. `Retry-After` tells when to try again.',
  },
  HEADERS_TOO_LARGE: {
    status: 431,
    title: 'The headers are too large',
    description: 'The head of the request is longer than `http.maxHeaderBytes`.',
  },
  INTERNAL: {
    status: 500,
    title: 'The server failed',
    description: 'A fault of the server. The log holds the details under the request id in `instance`.',
  },
  METHOD_FAILED: {
    status: 500,
    title: 'The method failed',
    description:
      'A method of an application script threw, or the script ended meanwhile. `detail` is what it said.',
  },
  METHOD_TIMEOUT: {
    status: 504,
    title: 'The method took too long',
    description: 'A method of an application script gave no answer within `apps.callMs`.',
  },
  PAGES_MISSING: {
    status: 503,
    title: 'The pages are not built',
    description: 'The server runs from a source tree whose pages are not built yet: run `npm run build`.',
  },
  OVERLOADED: {
    status: 503,
    title: 'No room for more',
    description:
      'A cap on connections or waiting requests is reached. `Retry-After` tells when to try again.',
  },
  NOT_READY: {
    status: 503,
    title: 'Not ready yet',
    description:
      'What was asked for is expected but not there yet, for instance a playlist before its first segment.',
  },
} as const satisfies Record<string, ErrorEntry>;

/** A code of {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** True if `value` is a registered code. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CODES, value);
}

/** HTTP status of a code. */
export function statusOf(code: ErrorCode): number {
  return ERROR_CODES[code].status;
}

/** WebSocket close code of a code: 4000 + HTTP status, in the private range of RFC 6455 §7.4.2. */
export function closeCodeOf(code: ErrorCode): number {
  return 4000 + ERROR_CODES[code].status;
}
