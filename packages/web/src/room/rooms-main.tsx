import { start } from '../frame/frame.tsx';
import { RoomList } from './room-list.tsx';

start(<RoomList />);
