import { start } from '../frame/frame.tsx';
import { Missing } from './missing.tsx';

start(<Missing />);
