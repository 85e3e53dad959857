import studioTexts from 'virtual:words/en/studio';
import { start } from '../frame/frame.tsx';
import { addTexts } from '../words/words.ts';
import { Viewer } from './viewer.tsx';

addTexts(studioTexts);

start(<Viewer address={new URLSearchParams(location.search).get('url') ?? ''} />);
