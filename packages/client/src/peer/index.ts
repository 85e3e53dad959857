export { Peer, type PeerEvents, type PeerOptions } from './peer.ts';
export { PeerCall, type PeerCallEvents, type PeerCallState } from './peer-call.ts';
