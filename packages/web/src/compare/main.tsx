import { start } from '../frame/frame.tsx';
import { Missing } from '../not-found/missing.tsx';
import { streamOfPath } from '../watch/address.ts';
import { Compare } from './compare.tsx';

const stream = streamOfPath(location.pathname);
start(stream === undefined ? <Missing /> : <Compare stream={stream} />);
