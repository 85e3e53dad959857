import { start } from '../frame/frame.tsx';
import { LiveProxy } from './proxy.tsx';

start(<LiveProxy address={new URLSearchParams(location.search).get('url') ?? ''} />);
