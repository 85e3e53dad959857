/** Application of the streams that rooms become. */
export const ROOM_APP = 'rooms';
