import studioTexts from 'virtual:words/en/studio';
import { start } from '../frame/frame.tsx';
import { addTexts } from '../words/words.ts';
import { Studio } from './studio.tsx';

addTexts(studioTexts);

start(<Studio />);
