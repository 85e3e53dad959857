import { parseRtmpUrl, type RtmpClientEvent } from '@onair/media/rtmp';
import { RtmpClient } from '../../packages/server/src/net/rtmp-client.ts';
import type { Scope } from './scope.ts';
import { seeTag } from './watch-flv.ts';
import { WireClock, Witness } from './witness.ts';

/** Plays an RTMP stream with our own client session until the scope closes or the server ends it. */
export function watchRtmp(scope: Scope, url: string): Witness {
  const witness = new Witness('rtmp');
  const clock = new WireClock();
  const onEvent = (event: RtmpClientEvent): void => {
    switch (event.kind) {
      case 'media':
        try {
          seeTag(witness, clock, event);
        } catch (error) {
          witness.fault(String(error));
        }
        return;
      case 'data':
        witness.notes.push(`data ${event.name}`);
        return;
      case 'status':
        witness.notes.push(`status ${event.code}`);
        return;
      case 'ready':
      case 'eof':
        witness.notes.push(event.kind);
        return;
      case 'refused':
        witness.notes.push(`refused ${event.code}`);
    }
  };
  const connection = new RtmpClient({ url: parseRtmpUrl(url), intent: 'play', onEvent, verify: false });
  void connection.closed.then((error) => {
    witness.ended ??= error?.message ?? 'closed';
  });
  scope.own({ stop: () => connection.close() });
  return witness;
}
