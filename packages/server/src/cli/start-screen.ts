import { networkInterfaces } from 'node:os';
import { DEFAULT_APP } from '@onair/media';
import { type Config, httpHost, rtmpHost } from '../config/index.ts';

/** Addresses under which people reach a server. */
export interface ServerUrls {
  readonly home: string;
  /** The home page over TLS. */
  readonly secure?: string;
  /** Watch page of a stream; `NAME` stands for its name. */
  readonly watch: string;
  /** What an encoder publishes to, without the stream's name. */
  readonly publish?: string;
  /** The home page for other machines of the network. */
  readonly network: readonly string[];
  /** Page that signs the operator in, with the token; at the first start only. */
  readonly signIn?: string;
  readonly demo?: string;
}

/** What the addresses follow from. */
export interface StartFacts {
  readonly config: Config;
  readonly ports: { readonly http: number; readonly rtmp?: number; readonly tls?: number };
  readonly freshToken: string | undefined;
}

/** Most addresses of the machine that are shown. */
const MAX_NETWORK_URLS = 3;

/** The addresses of a server that listens. */
export function serverUrls({ config, ports, freshToken }: StartFacts): ServerUrls {
  const bound = httpHost(config);
  const home = config.http.publicUrl ?? `http://${hostIn(bound)}:${ports.http}`;
  const demo = config.demo ? `${home}/watch/${DEFAULT_APP}/demo` : undefined;
  return {
    home: `${home}/`,
    ...(ports.tls === undefined ? {} : { secure: `https://${hostIn(bound)}:${ports.tls}/` }),
    watch: `${home}/watch/${DEFAULT_APP}/NAME`,
    ...(ports.rtmp === undefined
      ? {}
      : {
          publish: `rtmp://${hostIn(rtmpHost(config))}${ports.rtmp === 1935 ? '' : `:${ports.rtmp}`}/${DEFAULT_APP}`,
        }),
    network: isAny(bound) ? ownAddresses().map((address) => `http://${address}:${ports.http}/`) : [],
    // The token stands behind `#`, which a browser never sends.
    ...(freshToken === undefined ? {} : { signIn: `${home}/signin#token=${freshToken}` }),
    ...(demo === undefined ? {} : { demo }),
  };
}

function isAny(host: string): boolean {
  return host === '::' || host === '0.0.0.0';
}

function hostIn(host: string): string {
  if (isAny(host) || host === '127.0.0.1' || host === '::1') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address)
    .slice(0, MAX_NETWORK_URLS);
}

/** The screen that a person sees at the start. */
export function startScreen(version: string, urls: ServerUrls, tokenFile: string, colour: boolean): string {
  const paint = (code: string, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const row = (label: string, url: string, note = ''): string =>
    `  ${label.padEnd(9)} ${paint('36', url)}${note === '' ? '' : `  ${paint('90', note)}`}`;
  const rows = [
    '',
    `  ${paint('1', 'onair')} ${version}`,
    '',
    row('Home', urls.home),
    ...(urls.secure === undefined ? [] : [row('', urls.secure, 'encrypted')]),
    ...urls.network.map((url) => row('', url, 'for other machines')),
    ...(urls.demo === undefined ? [] : [row('Demo', urls.demo)]),
    ...(urls.publish === undefined ? [] : [row('Publish', urls.publish, 'any name as stream key')]),
    row('Watch', urls.watch),
    ...(urls.signIn === undefined ? [] : [row('Sign in', urls.signIn, 'shown once')]),
    row('Token', tokenFile, 'for the operator'),
    '',
    `  ${paint('90', 'Ctrl-C stops.')}`,
    '',
    '',
  ];
  return rows.join('\n');
}
