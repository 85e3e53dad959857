import type { Config } from './config/index.ts';
import { type HttpServer, loadIdentity, type TlsIdentity } from './net/index.ts';
import type { Logger } from './observe/index.ts';

/** Opens the port of the original upload server, where `compat` asks for it. */
export async function listenCompat(http: HttpServer, config: () => Config, logger: Logger): Promise<void> {
  const { compat, upload } = config();
  if (!compat || !upload.enabled) return;
  const port = await http.listenAlso(upload.compatPort);
  logger.info({ port }, 'compatible with ms2hls');
}

/** Opens the TLS port. Resolves with it, or with undefined where the server may do without. */
export async function listenTls(
  http: HttpServer,
  config: () => Config,
  logger: Logger,
): Promise<number | undefined> {
  const { tls, tlsPort } = config().http;
  if (tls === 'off') return undefined;
  try {
    return await http.listenTls(() => identityOf(config()));
  } catch (error) {
    if (tls === 'on' || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    logger.warn({ port: tlsPort }, 'the TLS port is taken; going on without TLS');
    return undefined;
  }
}

/** The certificate of every listener. */
export function identityOf({ data, http }: Config): TlsIdentity {
  const { tlsCertificate, tlsKey, allowedHosts, publicUrl } = http;
  const names = publicUrl === undefined ? allowedHosts : [...allowedHosts, new URL(publicUrl).hostname];
  return loadIdentity({ data, certificateFile: tlsCertificate, keyFile: tlsKey, names }, Date.now());
}
