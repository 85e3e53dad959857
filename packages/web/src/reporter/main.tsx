import studioTexts from 'virtual:words/en/studio';
import { start } from '../frame/frame.tsx';
import { addTexts } from '../words/words.ts';
import { Reporter } from './reporter.tsx';

addTexts(studioTexts);

start(<Reporter />);
