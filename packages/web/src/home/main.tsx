import { start } from '../frame/frame.tsx';
import { Home } from './home.tsx';

start(<Home />);
