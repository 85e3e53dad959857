import { start } from '../frame/frame.tsx';
import { Missing } from '../not-found/missing.tsx';
import { streamOfPath } from '../watch/address.ts';
import { RelayPage } from './relay-page.tsx';
import { watchTree } from './watch-tree.ts';

const stream = streamOfPath(location.pathname);
start(stream === undefined ? <Missing /> : <RelayPage stream={stream} view={watchTree(stream)} />);
