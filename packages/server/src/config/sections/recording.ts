import { z } from 'zod';
import { bytes, count, key, milliseconds, port } from '../field.ts';

/** Recordings. */
export const record = z.strictObject({
  streams: key(z.enum(['off', 'uploads', 'all']).default('uploads'), {
    description:
      'Which streams are recorded to the data folder: none, those that browsers upload, or all. Played back at `/APP/NAME/playlist.m3u8`.',
    reload: true,
  }),
});

/** Uploads of recordings that browsers make. */
export const upload = z.strictObject({
  enabled: key(z.boolean().default(true), {
    description: 'Whether `/APP/NAME/upload` and the studio page take recordings of browsers.',
  }),
  maxBytes: key(bytes().default(17_179_869_184), {
    description: 'Most bytes of one upload.',
    reload: true,
  }),
  silenceMs: key(milliseconds(1000, 86_400_000).default(60_000), {
    description:
      'How long an upload waits for a publisher that sends nothing, as during a loss of its network, before it is ended, milliseconds.',
    reload: true,
  }),
  maxSessions: key(count(100_000).default(500), { description: 'Uploads at one time.', reload: true }),
  maxChunkBytes: key(bytes(2 ** 30).default(67_108_864), {
    description: 'Largest numbered chunk of the `/api/chunks` interface, bytes.',
    reload: true,
  }),
  chunkGapMs: key(milliseconds(100, 3_600_000).default(10_000), {
    description:
      'How long later chunks of the `/api/chunks` interface wait for a missing one before it is given up, milliseconds.',
    reload: true,
  }),
  compatPort: key(port().default(9999), {
    description: 'Port that answers too where `compat` is true; 0 lets the system pick one.',
  }),
});
