import type { StreamRegistry } from './hub/index.ts';
import type { HttpServer } from './net/index.ts';
import type { RecordedUploads } from './recorded-uploads.ts';
import { type RegisterRoomsOptions, type Rooms, registerRooms } from './rooms/index.ts';

/** What rooms are joined with. */
export interface TalkParts extends Pick<RegisterRoomsOptions, 'config' | 'limiter' | 'hasWebRtc' | 'log'> {
  readonly http: HttpServer;
  readonly registry: StreamRegistry;
  readonly recorded: RecordedUploads;
}

/** Joins rooms with the streams and the recordings that talks become; undefined if the settings want no rooms. */
export function startTalks({ http, registry, recorded, ...options }: TalkParts): Rooms | undefined {
  if (!options.config().rooms.enabled) return undefined;
  return registerRooms(http, {
    ...options,
    staged: (stream, talking) => {
      recorded.reconsider(stream);
      if (!talking) registry.find(stream)?.publication?.revoke('the talk is over');
    },
  });
}
