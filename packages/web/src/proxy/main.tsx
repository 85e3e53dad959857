import studioTexts from 'virtual:words/en/studio';
import { start } from '../frame/frame.tsx';
import { addTexts } from '../words/words.ts';
import { LiveProxy } from './proxy.tsx';

addTexts(studioTexts);

start(<LiveProxy address={new URLSearchParams(location.search).get('url') ?? ''} />);
