import { start } from '../frame/frame.tsx';
import { Missing } from '../not-found/missing.tsx';

start(<Missing />);
