import studioTexts from 'virtual:words/en/studio';
import { start } from '../frame/frame.tsx';
import { addTexts } from '../words/words.ts';
import { Files } from './files.tsx';
import { FilesView } from './files-view.ts';

addTexts(studioTexts);

start(<Files view={new FilesView()} />);
