import { streamName } from '@onair/media';
import { expect, it } from 'vitest';
import { FakeClock } from '../../../../../test/kit/fake-clock.ts';
import { SessionTable, StreamRegistry } from '../../hub/index.ts';
import { type WhipDeps, whipProtocol } from './whip.ts';

type Answer = Awaited<ReturnType<WhipDeps['gate']['authorize']>>;

/** The problem with which an offer is refused by a gate that says `answer`. */
async function refusal(answer: Answer, query: string): Promise<unknown> {
  const clock = new FakeClock();
  const { accept } = whipProtocol({
    registry: new StreamRegistry({ clock }),
    sessions: new SessionTable(
      () => clock.wall(),
      () => 'id',
    ),
    clock,
    log: () => undefined,
    gate: { authorize: async () => answer },
    settings: () => expect.fail('not reached'),
    endpoint: { port: 0, accept: () => expect.fail('not reached'), close: () => undefined },
  });
  const stream = streamName('live', 'cam');
  const peer = { address: '192.0.2.1', forwarded: false, local: false, bearer: undefined };
  return accept({ stream, sdp: '', query, ...peer }).catch((error: unknown) => error);
}

it('asks for a key only whom one can help', async () => {
  const refused = { ok: false, code: 'PUBLISH_REFUSED', reason: 'no' } as const;
  expect(await refusal(refused, '')).toMatchObject({ code: 'STREAM_KEY_REQUIRED' });
  expect(await refusal(refused, 'key=bad')).toMatchObject({ code: 'PUBLISH_REFUSED' });
  expect(await refusal({ ...refused, barred: true }, '')).toMatchObject({ code: 'PUBLISH_REFUSED' });
});
