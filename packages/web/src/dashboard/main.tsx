import { start } from '../frame/frame.tsx';
import { Dashboard } from './dashboard.tsx';
import { watchServer } from './watch-server.ts';

start(<Dashboard view={watchServer()} />);
