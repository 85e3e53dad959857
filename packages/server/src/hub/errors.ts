/** Why the hub refused something; the codes are in `docs/errors.md`. */
export type HubErrorCode =
  | 'PUBLISH_CONFLICT'
  | 'TOO_MANY_STREAMS'
  | 'TOO_MANY_TRACKS'
  | 'HUB_CLOSED'
  | 'EVENT_OFF_AIR'
  | 'EVENT_RATE'
  | 'EVENT_LIMIT'
  | 'EVENT_TIME';

/** The caller asked for what the hub cannot do. The session stays usable unless its owner decides otherwise. */
export class HubError extends Error {
  override readonly name = 'HubError';
  readonly code: HubErrorCode;

  constructor(code: HubErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
