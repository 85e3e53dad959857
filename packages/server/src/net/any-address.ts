import { networkInterfaces } from 'node:os';

/** The address to bind to for `host`: `::` becomes `0.0.0.0` on machines without IPv6. */
export function bindAddress(host: string): string {
  if (host !== '::') return host;
  const six = Object.values(networkInterfaces()).some((list) =>
    list?.some(({ family }) => family === 'IPv6'),
  );
  return six ? '::' : '0.0.0.0';
}
