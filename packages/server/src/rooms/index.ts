export { type RegisterRoomsOptions, type Rooms, registerRooms } from './register-rooms.ts';
export { RoomDirectory, RoomError, type RoomMember, type RoomPolicy } from './room-directory.ts';
