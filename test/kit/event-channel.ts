import { createRequire } from 'node:module';
import type * as Library from 'node-datachannel';
import type { Scope } from './scope.ts';

// It is a dependency of the server, not of the root.
const library = createRequire(new URL('../../packages/server/package.json', import.meta.url))(
  'node-datachannel',
) as typeof Library;

/** A viewer by WHEP with a data channel for events. Resolves when the channel is open. */
export async function eventChannel(
  scope: Scope,
  url: string,
  take: (text: string) => void,
  label = 'onair.events',
): Promise<Library.DataChannel> {
  const connection = new library.PeerConnection('test', {
    iceServers: [],
    bindAddress: '127.0.0.1',
    disableAutoNegotiation: true,
  });
  scope.defer(() => connection.close());
  const video = new library.Video('0', 'RecvOnly');
  video.addH264Codec(102);
  const track = connection.addTrack(video);
  track.onMessage(() => undefined);
  const channel = connection.createDataChannel(label);
  channel.onMessage((message) => take(String(message)));
  const opened = new Promise<void>((resolve) => channel.onOpen(() => resolve()));
  const offer = await new Promise<string>((resolve) => {
    connection.onGatheringStateChange((now) => {
      if (now === 'complete') resolve(connection.localDescription()!.sdp);
    });
    connection.setLocalDescription('offer');
  });
  const headers = { 'content-type': 'application/sdp' };
  const answer = await fetch(url, { method: 'POST', headers, body: offer });
  const text = await answer.text();
  if (answer.status !== 201) throw new Error(`WHEP answered ${answer.status}: ${text}`);
  connection.setRemoteDescription(text, 'answer');
  await opened;
  return channel;
}
