import type { RelayIntake } from '@onair/contracts/relay';

/** Bytes that a newcomer may get besides what is published from then on: others hold the last minutes of it. */
const HELD_BYTES = 16 * 1024 * 1024;
/** What goes out may be more than what came in: boxes and headers, another codec. */
const GROWTH = 4;

/**
 * What of a viewer's report is believed: never less than before, nor more than the stream had.
 * @param published bytes that the publisher sent since the viewer announced itself
 */
export function believedIntake(before: RelayIntake, said: RelayIntake, published: number): RelayIntake {
  const most = HELD_BYTES + GROWTH * published;
  const believed = (was: number, is: number): number => Math.max(was, Math.min(is, most));
  return { peers: believed(before.peers, said.peers), server: believed(before.server, said.server) };
}
