import aboutTexts from 'virtual:words/en/about';
import { start } from '../frame/frame.tsx';
import { addTexts } from '../words/words.ts';
import { AboutPage } from './about.tsx';

addTexts(aboutTexts);
start(<AboutPage />);
