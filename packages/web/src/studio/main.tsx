import { start } from '../frame/frame.tsx';
import { Studio } from './studio.tsx';

start(<Studio />);
