import { start } from '../frame/frame.tsx';
import { openConsole } from './console-state.ts';
import { Operator } from './operator.tsx';

start(<Operator state={openConsole()} />);
