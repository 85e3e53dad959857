import { start } from '../frame/frame.tsx';
import { Inspection } from './inspection.ts';
import { Inspector } from './inspector.tsx';

start(<Inspector inspection={new Inspection()} />);
