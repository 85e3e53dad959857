/** What an address of nginx-rtmp leaves out is the stream's own: `{app}` and `{name}`. */
export interface RelayAddress {
  readonly app?: string | undefined;
  readonly name?: string | undefined;
}

/** An address for `push` or `pull` of nginx-rtmp as an rtmp URL that is whole; undefined without a host. */
export function relayAddress(address: string, { app, name }: RelayAddress = {}): string | undefined {
  const [host, first = '', ...rest] = address.replace(/^rtmp:\/\//i, '').split('/');
  if (!host || /\s/.test(address)) return undefined;
  const path = name ?? rest.join('/');
  return `rtmp://${host}/${app ?? (first || '{app}')}/${path || '{name}'}`;
}
