import { start } from '../frame/frame.tsx';
import { Missing } from '../not-found/missing.tsx';
import { roomOfAddress } from './address.ts';
import { WatchRoom } from './watch-room.tsx';

const room = roomOfAddress(location);
start(room === undefined ? <Missing /> : <WatchRoom room={room} />);
