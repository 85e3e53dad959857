import roomTexts from 'virtual:words/en/room';
import { start } from '../frame/frame.tsx';
import { addTexts } from '../words/words.ts';
import { RoomList } from './room-list.tsx';

addTexts(roomTexts);

start(<RoomList />);
