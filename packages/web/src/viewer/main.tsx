import { start } from '../frame/frame.tsx';
import { Viewer } from './viewer.tsx';

start(<Viewer address={new URLSearchParams(location.search).get('url') ?? ''} />);
