import { live } from '../api/live.ts';
import { start } from '../frame/frame.tsx';
import { Missing } from '../not-found/missing.tsx';
import { streamOfPath } from '../watch/address.ts';
import { Compare } from './compare.tsx';

// Four players need the few connections that a browser opens to one server.
live('polling');
const stream = streamOfPath(location.pathname);
start(stream === undefined ? <Missing /> : <Compare stream={stream} />);
