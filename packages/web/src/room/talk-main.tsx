import roomTexts from 'virtual:words/en/room';
import { start } from '../frame/frame.tsx';
import { Missing } from '../not-found/missing.tsx';
import { addTexts } from '../words/words.ts';
import { roomOfAddress } from './address.ts';
import { Talk } from './talk.tsx';

addTexts(roomTexts);

const room = roomOfAddress(location);
start(room === undefined ? <Missing /> : <Talk room={room} />);
