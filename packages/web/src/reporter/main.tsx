import { start } from '../frame/frame.tsx';
import { Reporter } from './reporter.tsx';

start(<Reporter />);
