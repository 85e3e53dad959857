import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { selfSigned } from './self-signed.ts';
import type { TlsIdentity } from './tls-listener.ts';

/** File in the data folder with the server's own key and certificate, one behind the other. */
export const OWN_CERTIFICATE_FILE = 'tls.pem';
/** Some clients refuse certificates that are good for longer. */
const VALID_DAYS = 397;
/** A certificate that ends within this is replaced. */
const RENEW_DAYS = 30;
const DAY_MS = 86_400_000;
/** Longest PEM file that is read, in characters. */
const MAX_PEM = 256 * 1024;

/** Where a certificate comes from. */
export interface CertificateSource {
  /** Data folder: holds the server's own certificate. */
  readonly data: string;
  /** PEM files of the operator; both or none. */
  readonly certificateFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** Names that the own certificate is good for besides this machine's. */
  readonly names: readonly string[];
}

/**
 * The certificate to show: the operator's files, or the server's own, which is made at the first start and again
 * before it ends or when the machine's names changed.
 * @param now ms since the Unix epoch.
 * @throws Error if the operator's files cannot be used.
 */
export function loadIdentity(source: CertificateSource, now: number): TlsIdentity {
  const { certificateFile, keyFile } = source;
  if (certificateFile === undefined || keyFile === undefined) return ownIdentity(source, now);
  const identity = { certificate: read(certificateFile), key: read(keyFile) };
  if (!fits(identity)) throw new Error(`${keyFile} is not the key of the certificate in ${certificateFile}`);
  return identity;
}

/** SHA-256 fingerprint by which a person can tell that a certificate is this server's. */
export function fingerprint({ certificate }: TlsIdentity): string {
  return new X509Certificate(certificate).fingerprint256;
}

function ownIdentity({ data, names }: CertificateSource, now: number): TlsIdentity {
  const file = join(data, OWN_CERTIFICATE_FILE);
  const wanted = [...new Set([...machineNames(), ...names.map((name) => name.toLowerCase())])];
  const known = readOwn(file);
  if (known !== undefined && isGood(known, wanted, now)) return known;
  const made = selfSigned({
    names: wanted,
    notBefore: now - DAY_MS,
    notAfter: now + (VALID_DAYS - 1) * DAY_MS,
  });
  writeOwn(data, file, made);
  return made;
}

function machineNames(): string[] {
  const machine = hostname().toLowerCase();
  const own = /^[a-z0-9.-]{1,63}$/.test(machine) ? [machine, `${machine}.local`] : [];
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !/^fe80:/i.test(address))
    .map(({ address }) => address)
    .slice(0, 16);
  return ['localhost', ...own, '127.0.0.1', '::1', ...addresses];
}

function isGood(identity: TlsIdentity, names: readonly string[], now: number): boolean {
  const certificate = new X509Certificate(identity.certificate);
  if (Date.parse(certificate.validTo) - now < RENEW_DAYS * DAY_MS) return false;
  if (Date.parse(certificate.validFrom) > now) return false;
  return names.every((name) =>
    isIP(name) === 0 ? certificate.checkHost(name) !== undefined : certificate.checkIP(name) !== undefined,
  );
}

function readOwn(file: string): TlsIdentity | undefined {
  try {
    const text = read(file);
    const at = text.indexOf('-----BEGIN CERTIFICATE-----');
    const identity = { key: text.slice(0, at), certificate: text.slice(at) };
    return at > 0 && fits(identity) ? identity : undefined;
  } catch {
    // Absent or damaged: it is made anew.
    return undefined;
  }
}

/** The key is secret: nobody else may read it, and a crash leaves no half of it. */
function writeOwn(data: string, file: string, { certificate, key }: TlsIdentity): void {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const temporary = `${file}.${randomBytes(6).toString('hex')}.new`;
  try {
    writeFileSync(temporary, key + certificate, { mode: 0o600, flag: 'wx', flush: true });
    renameSync(temporary, file);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function fits({ certificate, key }: TlsIdentity): boolean {
  return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
}

function read(file: string): string {
  const text = readFileSync(file, 'utf8');
  if (text.length > MAX_PEM) throw new Error(`${file} is larger than any certificate`);
  return text;
}
