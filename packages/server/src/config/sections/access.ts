import { z } from 'zod';
import { count, key, milliseconds, namePart } from '../field.ts';
import { isAddressRange } from './address-range.ts';

const rules = (what: string) =>
  key(
    z
      .array(z.string().max(64).refine(isRule, '`allow` or `deny`, and `all`, an address or a range'))
      .max(1000)
      .default([]),
    {
      description: `Who may ${what}, e.g. \`allow 10.0.0.0/8\`, \`deny all\`: the first rule that fits decides, and where none fits it is open.`,
    },
  );

/** `allow` or `deny`, and whom. */
function isRule(text: string): boolean {
  const place = /^(?:allow|deny) (\S+)$/.exec(text)?.[1];
  return place === 'all' || (place !== undefined && isAddressRange(place));
}

/** Who may publish and play. */
export const auth = z.strictObject({
  lists: key(
    z
      .array(
        z.strictObject({
          app: key(namePart().optional(), {
            description: 'Application; every one if left out. The first entry that fits counts.',
          }),
          publish: rules('publish'),
          play: rules('play, live and recorded'),
          admits: key(z.boolean().default(false), {
            description: 'Whether a publisher whom an `allow` names needs no stream key.',
          }),
        }),
      )
      .max(100)
      .default([]),
    {
      description:
        'Addresses that may publish to an application and play from it, by whatever protocol. Of clients behind a proxy that is not trusted (`http.trustedProxies`) the address is not known: no address lets them in.',
      reload: true,
    },
  ),
  publishFromLoopback: key(z.boolean().default(true), {
    description: 'Whether encoders on this machine publish without a stream key.',
    reload: true,
  }),
  publishKeys: key(
    z
      .array(
        z.strictObject({
          app: key(namePart(), { description: 'Application that the key opens.' }),
          name: key(namePart().optional(), {
            description: 'Stream that the key opens; unset: every stream of the application.',
          }),
          key: key(z.string().min(22).max(256), {
            description:
              'The secret, at least 22 characters, which is 128 bits in base64url. `onair key create` makes one and keeps only its hash in the data folder.',
            secret: true,
          }),
        }),
      )
      .max(10_000)
      .default([]),
    {
      description:
        'Stream keys besides those in the data folder. An encoder gives its key as `NAME?key=KEY` in place of the name.',
      reload: true,
      secret: true,
    },
  ),
  users: key(
    z
      .array(
        z.strictObject({
          app: key(namePart(), { description: 'Application that the user publishes to.' }),
          name: key(namePart().optional(), {
            description: 'Stream that the user publishes; unset: every stream of the application.',
          }),
          user: key(z.string().regex(/^[A-Za-z0-9._@-]{1,64}$/), { description: 'Name of the user.' }),
          password: key(z.string().min(8).max(256), {
            description: 'The password, at least 8 characters. It does not travel, but a proof of it by MD5.',
            secret: true,
          }),
        }),
      )
      .max(1_000)
      .default([]),
    {
      description:
        'Users whose encoders give name and password (`rtmp://USER:PASSWORD@HOST/APP/NAME`) in place of a stream key. Encoders of the application by RTMP are asked for them, also on this machine.',
      reload: true,
      secret: true,
    },
  ),
  challenge: key(z.enum(['adobe', 'llnw']).default('adobe'), {
    description:
      'How encoders are asked for name and password if they do not say which way they know: that of Adobe’s servers or that of Limelight’s.',
    reload: true,
  }),
  demoAccount: key(z.boolean().default(false), {
    description:
      'For trying out: whether `hoge@example.jp` with the password `hogehogeunko` signs in as operator, from this machine alone. Never where others use the machine.',
    reload: true,
  }),
  failuresPerMinute: key(count(10_000).default(10), {
    description: 'Wrong keys or tokens an address may send in a minute before it is refused unseen.',
    reload: true,
  }),
  sessionMs: key(milliseconds(60_000).default(2_147_483_647), {
    description: 'How long a sign-in in the browser lasts, milliseconds.',
  }),
});

/** The operator's routes. */
export const admin = z.strictObject({
  remote: key(z.boolean().optional(), {
    description:
      'Whether the operator’s routes answer other machines, with the token. Unset: only if `host` or `http.host` names an address.',
    reload: true,
  }),
  publicStreamList: key(z.boolean().default(true), {
    description: 'Whether everybody may read the list of live streams.',
    reload: true,
  }),
  metricsFromLoopback: key(z.boolean().default(true), {
    description: 'Whether `/metrics` answers loopback without the token.',
    reload: true,
  }),
});

/** Logging. */
export const log = z.strictObject({
  format: key(z.enum(['auto', 'json', 'pretty']).default('auto'), {
    description: 'One JSON object per line, or lines for people; `auto` is `pretty` in a terminal.',
  }),
  level: key(z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'), {
    description: 'Least severity that is logged.',
    reload: true,
  }),
});
