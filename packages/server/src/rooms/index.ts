export { type RegisterRoomsOptions, type Rooms, registerRooms } from './register-rooms.ts';
export { ROOM_APP } from './room-app.ts';
export { NO_ROOMS, RoomDirectory, RoomError, type RoomMember, type RoomPolicy } from './room-directory.ts';
export { roomGate } from './room-gate.ts';
