import { DEFAULT_ROOM, isRoomName } from '@onair/contracts/rooms';

/**
 * The room of an address: `/talk/NAME`, `/room/NAME`, or what follows the `?` as in `talk.html?NAME`; without a name the
 * default room. Undefined if it is no name of a room.
 */
export function roomOfAddress({
  pathname,
  search,
}: Pick<Location, 'pathname' | 'search'>): string | undefined {
  const raw = /^\/(?:talk|room)\/([^/]+)$/.exec(pathname)?.[1] ?? search.slice(1);
  if (raw === '') return DEFAULT_ROOM;
  try {
    const name = decodeURIComponent(raw).normalize('NFC');
    return isRoomName(name) ? name : undefined;
  } catch {
    return undefined;
  }
}

/** Where others watch a room. */
export function watchAddress(origin: string, room: string): string {
  return `${origin}/room/${encodeURIComponent(room)}`;
}
