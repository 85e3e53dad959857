import { start } from '../frame/frame.tsx';
import { CastPage } from './cast-page.tsx';

start(<CastPage />);
