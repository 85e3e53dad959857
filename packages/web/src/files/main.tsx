import { start } from '../frame/frame.tsx';
import { Files } from './files.tsx';
import { FilesView } from './files-view.ts';

start(<Files view={new FilesView()} />);
