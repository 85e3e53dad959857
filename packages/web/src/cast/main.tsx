import studioTexts from 'virtual:words/en/studio';
import { start } from '../frame/frame.tsx';
import { addTexts } from '../words/words.ts';
import { CastPage } from './cast-page.tsx';

addTexts(studioTexts);

start(<CastPage />);
