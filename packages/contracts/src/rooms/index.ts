export {
  type Aside,
  type ChatAside,
  decodeAside,
  FILE_PART_BYTES,
  type FileAside,
  type FilePart,
  isFileStep,
  MAX_CHAT_NAME,
  MAX_CHAT_TEXT,
  MAX_FILE_BYTES,
  type PartRange,
  REACTIONS,
  readFilePart,
  writeFilePart,
} from './aside.ts';
export {
  decodeIceServers,
  decodeIceSettings,
  ICE_POLICIES,
  type IceServer,
  type IceSettings,
} from './ice.ts';
export { decodeRoomList, type RoomInfo } from './listing.ts';
export * from './message.ts';
