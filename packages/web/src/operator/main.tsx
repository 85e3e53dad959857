import operatorTexts from 'virtual:words/en/operator';
import { start } from '../frame/frame.tsx';
import { addTexts } from '../words/words.ts';
import { openConsole } from './console-state.ts';
import { Operator } from './operator.tsx';

addTexts(operatorTexts);

start(<Operator state={openConsole()} />);
