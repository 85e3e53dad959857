import { z } from 'zod';
import { key, milliseconds } from '../field.ts';

const page = () =>
  z
    .string()
    .regex(/^\/[A-Za-z0-9_-]{1,64}$/)
    .optional();

/** Pages of nginx-rtmp. */
export const nginx = z.strictObject({
  stat: key(page(), {
    description: 'Address of the statistics as XML, as nginx-rtmp’s `rtmp_stat` has them. Unset: none.',
  }),
  control: key(page(), {
    description:
      'Address below which `drop/…` ends sessions, `redirect/…` moves them to another stream, and `record/start` and `record/stop` order recordings, as with `rtmp_control`. Unset: none.',
  }),
  fromLoopback: key(z.boolean().default(true), {
    description: 'Whether programs on this machine may use these addresses without the operator’s token.',
    reload: true,
  }),
});

const address = (when: string) =>
  key(
    z
      .string()
      .max(2048)
      .regex(/^https?:\/\/[^\s/]+(\/\S*)?$/)
      .optional(),
    { description: when, secret: true },
  );

/** Addresses that are asked or told what RTMP clients do. */
export const callbacks = z
  .array(
    z.strictObject({
      app: key(
        z
          .string()
          .regex(/^[A-Za-z0-9_-]{1,64}$/)
          .optional(),
        { description: 'Application; every one if left out. The first entry that fits counts.' },
      ),
      onConnect: address('Asked whether a client may connect.'),
      onDisconnect: address('Told when a client has left.'),
      onPublish: address('Asked whether a client may publish; a redirect to a name publishes under that.'),
      onPlay: address('Asked whether a client may play; a redirect to a name plays that.'),
      onPublishDone: address('Told when a publisher has ended.'),
      onPlayDone: address('Told when a player has ended.'),
      onDone: address('Told of both.'),
      onRecordStarted: address('Told of each recording that has begun, with the `path` of its first file.'),
      onRecordDone: address('Told of each file of a recording that is finished, with its `path`.'),
      onPlaylist: address(
        'Told of each segment that the HLS playlist of a stream lists anew, with the address of the playlist as `path`.',
      ),
      onUpdate: address(
        'Told again and again while somebody publishes or plays; another answer than 2xx ends that.',
      ),
      method: key(z.enum(['post', 'get']).default('post'), {
        description: 'How the form is sent: as body or in the address.',
      }),
      timeoutMs: key(milliseconds(100, 60_000).default(10_000), {
        description: 'How long an answer is awaited, milliseconds; who is asked in vain refuses.',
      }),
      updateMs: key(milliseconds(1000, 3_600_000).default(30_000), {
        description: 'Milliseconds between two calls of `onUpdate`.',
      }),
      updateStrict: key(z.boolean().default(false), {
        description: 'Whether no answer to `onUpdate` ends the session too.',
      }),
      relays: key(z.boolean().default(false), {
        description:
          'Whether a redirect to an `rtmp://` address relays: what is published is sent there, what is played is fetched from there, for as long as that goes on. False refuses.',
      }),
      redirects: key(z.boolean().default(false), {
        description:
          'Whether a redirect of `onConnect` to an `rtmp://` address sends the client there (`ex.code` 302). False refuses.',
      }),
      admits: key(z.boolean().default(false), {
        description: 'Whether a publisher whom `onPublish` lets in needs no stream key.',
      }),
    }),
  )
  .max(100);
