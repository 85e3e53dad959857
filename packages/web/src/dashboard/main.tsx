import operatorTexts from 'virtual:words/en/operator';
import { start } from '../frame/frame.tsx';
import { addTexts } from '../words/words.ts';
import { Dashboard } from './dashboard.tsx';
import { watchServer } from './watch-server.ts';

addTexts(operatorTexts);

start(<Dashboard view={watchServer()} />);
