import { z } from 'zod';
import { bytes, count, key, milliseconds, port } from '../field.ts';
import { isAddressRange } from './address-range.ts';

const address = () => z.string().min(1).max(255);

const origin = () =>
  z
    .string()
    .max(255)
    .regex(/^https?:\/\/[^/?#\s@]+$/);

/** HTTP listener: pages, API, playlists, HTTP and WebSocket delivery. */
export const http = z.strictObject({
  host: key(address().optional(), {
    description: 'Address to listen on. Unset: `host`, and if that is unset too, every address.',
  }),
  port: key(port().default(8080), { description: 'TCP port; 0 lets the system pick one.' }),
  tls: key(z.enum(['auto', 'on', 'off']).default('auto'), {
    description:
      'The same over TLS with HTTP/2 and HTTP/1.1: `on`, `off`, or `auto`, which goes on without it if `http.tlsPort` is taken.',
  }),
  tlsPort: key(port().default(8443), {
    description: 'TCP port of the TLS listener; 0 lets the system pick one.',
  }),
  tlsCertificate: key(z.string().min(1).max(4096).optional(), {
    description:
      'PEM file with the certificate and those it hangs on. Unset: the server makes its own at the first start and keeps it in the data folder. The files are looked at once a day.',
  }),
  tlsKey: key(z.string().min(1).max(4096).optional(), {
    description: 'PEM file with the private key of `http.tlsCertificate`.',
  }),
  publicUrl: key(origin().optional(), {
    description:
      'Origin under which people reach the server, for instance `https://tv.example.org`; used in printed addresses.',
    reload: true,
  }),
  allowedHosts: key(z.array(z.string().min(1).max(255)).max(100).default([]), {
    description:
      'Names besides `localhost`, the machine’s own name and plain addresses that the `Host` header may have where something is changed or shown to the operator only. Guards against DNS rebinding.',
    reload: true,
  }),
  allowedOrigins: key(z.array(origin()).max(100).default([]), {
    description:
      'Origins besides the server’s own whose pages may call the API and open sockets that can change something. Watching is open to every origin.',
    reload: true,
  }),
  trustedProxies: key(
    z
      .array(z.string().refine(isAddressRange, 'an IP address or a range such as 10.0.0.0/8'))
      .max(100)
      .default([]),
    {
      description:
        'Addresses or CIDR ranges of reverse proxies whose `X-Forwarded-For` is believed. A proxy on this machine must be listed, otherwise its clients count as strangers with the address of the proxy.',
    },
  ),
  headersTimeoutMs: key(milliseconds(1).default(10_000), {
    description:
      'Until when the head of a request must have arrived, milliseconds from its first byte or the connection.',
  }),
  requestTimeoutMs: key(milliseconds(1).default(30_000), {
    description: 'Until when a whole request with its body must have arrived, milliseconds.',
  }),
  keepAliveTimeoutMs: key(milliseconds(1).default(15_000), {
    description: 'How long an idle connection stays open after an answer, milliseconds.',
  }),
  idleTimeoutMs: key(milliseconds(0).default(120_000), {
    description:
      'After how long without a byte in either direction a connection with an ordinary request is closed, milliseconds; 0 never. Endless deliveries have their own rules.',
  }),
  upgradeTimeoutMs: key(milliseconds(1).default(10_000), {
    description: 'Until when a WebSocket must be established after its request, milliseconds.',
  }),
  maxHeaderBytes: key(bytes(1 << 20).default(16_384), { description: 'Longest head of a request, bytes.' }),
  maxBodyBytes: key(bytes(1 << 30).default(65_536), {
    description: 'Longest body of an API request, bytes.',
  }),
  maxConnections: key(count().default(20_000), { description: 'Connections open at one time.' }),
  maxConnectionsPerAddress: key(count().default(256), {
    description:
      'Connections open at one time from one address. Loopback and trusted proxies are not counted.',
    reload: true,
  }),
  maxEventStreams: key(count(100_000).default(500), {
    description: 'Readers of `GET /api/v1/events` at one time.',
    reload: true,
  }),
});
