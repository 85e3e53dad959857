import { z } from 'zod';
import { count, key } from '../field.ts';

const streamPattern = () =>
  z.string().regex(/^[A-Za-z0-9_-]{1,64}(\/[A-Za-z0-9_-]{1,64})?$/, 'APP or APP/NAME');

/** The relay tree: viewers pass streams on to each other. */
export const relay = z.strictObject({
  enabled: key(z.boolean().default(false), {
    description:
      'Whether viewers may pass streams on to each other, from browser to browser. Viewers then see each other’s network addresses, unless `relay.addresses` is `turn`.',
    reload: true,
  }),
  streams: key(z.array(streamPattern()).max(1_000).default([]), {
    description: 'Streams (`APP/NAME`) and applications (`APP`) that may be passed on; empty: all.',
    reload: true,
  }),
  addresses: key(z.enum(['open', 'turn']).default('open'), {
    description:
      'Which addresses viewers learn of each other: `open` their own, `turn` those of the TURN servers in `ice` only.',
    reload: true,
  }),
  maxChildren: key(count(64).default(8), {
    description: 'Viewers that one viewer sends to at most. A change holds for trees that begin later.',
    reload: true,
  }),
  uploadBits: key(z.int().min(0).max(10_000_000_000).default(0), {
    description:
      'Bits per second that one viewer sends to others at most; 0: no bound but what its line carries.',
    reload: true,
  }),
  maxPeers: key(count(20_000).default(10_000), {
    description: 'Viewers in the tree of one stream; further ones watch by another transport.',
    reload: true,
  }),
  silentMs: key(z.int().min(50).max(10_000).default(250), {
    description:
      'A viewer that hears nothing from the one above it for so long gets the stream from the server, milliseconds.',
    reload: true,
  }),
});
