import { start } from '../frame/frame.tsx';
import { Missing } from '../not-found/missing.tsx';
import { roomOfAddress } from './address.ts';
import { Talk } from './talk.tsx';

const room = roomOfAddress(location);
start(room === undefined ? <Missing /> : <Talk room={room} />);
