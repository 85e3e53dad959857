import { z } from 'zod';
import { bytes, count, key, milliseconds, port } from '../field.ts';

/** Media files that are played over WebSocket. */
export const files = z.strictObject({
  enabled: key(z.boolean().default(true), {
    description: 'Whether the media files of a folder are listed, played and added at `/files`.',
  }),
  folder: key(z.string().min(1).max(4096).optional(), {
    description:
      'The folder; `files` in the data folder if unset. What lies in folders within it is left alone.',
  }),
  maxBytes: key(bytes(2 ** 43).default(17_179_869_184), {
    description: 'Most bytes of one file that is added.',
    reload: true,
  }),
  maxTotalBytes: key(bytes(2 ** 43).default(68_719_476_736), {
    description: 'Most bytes in the folder for a file to be added.',
    reload: true,
  }),
  maxViewers: key(count(100_000).default(500), {
    description: 'Viewers of files over WebSocket at one time.',
    reload: true,
  }),
});

/** Live sources that pages ask for. */
export const proxy = z.strictObject({
  enabled: key(z.boolean().default(true), {
    description:
      'Whether the page `/proxy` may have the server fetch live FLV, MPEG-TS or RTMP from any address.',
  }),
  private: key(z.boolean().default(false), {
    description:
      'Whether addresses that are not of the public network, such as those of this machine, may be fetched so.',
    reload: true,
  }),
  maxSources: key(count(1000).default(8), {
    description: 'Sources that are fetched at one time.',
    reload: true,
  }),
  idleMs: key(milliseconds(1000, 86_400_000).default(30_000), {
    description: 'How long a source is fetched on without a viewer, milliseconds.',
    reload: true,
  }),
});

/** The sample of a WebSocket server. */
export const echo = z.strictObject({
  compatPort: key(port().default(8327), {
    description:
      'Port that sends each WebSocket message back, opened if `compat` is true; 0 lets the system pick one.',
  }),
});
