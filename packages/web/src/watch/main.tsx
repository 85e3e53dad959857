import { start } from '../frame/frame.tsx';
import { Missing } from '../not-found/missing.tsx';
import { streamOfPath } from './address.ts';
import { Watch } from './watch.tsx';

const stream = streamOfPath(location.pathname);
start(stream === undefined ? <Missing /> : <Watch stream={stream} />);
