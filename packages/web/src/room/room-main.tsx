import roomTexts from 'virtual:words/en/room';
import { start } from '../frame/frame.tsx';
import { Missing } from '../not-found/missing.tsx';
import { addTexts } from '../words/words.ts';
import { roomOfAddress } from './address.ts';
import { WatchRoom } from './watch-room.tsx';

addTexts(roomTexts);

const room = roomOfAddress(location);
start(room === undefined ? <Missing /> : <WatchRoom room={room} />);
