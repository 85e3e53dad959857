export { type RegisterRoomsOptions, type Rooms, registerRooms } from './register-rooms.ts';
export { ROOM_APP } from './room-app.ts';
export {
  RoomDirectory,
  RoomError,
  type RoomMember,
  type RoomPolicy,
  type RoomView,
} from './room-directory.ts';
export { roomGate } from './room-gate.ts';
