import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fingerprint, loadIdentity, OWN_CERTIFICATE_FILE } from './certificate.ts';
import { der, integer, objectIdentifier, time } from './der.ts';
import { selfSigned } from './self-signed.ts';

const NOW = Date.parse('2026-01-02T03:04:05Z');
const DAY = 86_400_000;
const folder = () => mkdtempSync(join(tmpdir(), 'onair-tls-'));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('der', () => {
  it.each([
    ['short', () => der(4, Buffer.alloc(3)), '0403000000'],
    ['128 bytes', () => der(4, Buffer.alloc(128)).subarray(0, 4), '04818000'],
    ['256 bytes', () => der(4, Buffer.alloc(256)).subarray(0, 5), '0482010000'],
    ['2', () => integer(Buffer.from([2])), '020102'],
    ['0', () => integer(Buffer.from([0, 0])), '020100'],
    ['128', () => integer(Buffer.from([0, 128])), '02020080'],
    ['1.2.840.10045.4.3.2', () => objectIdentifier('1.2.840.10045.4.3.2'), '06082a8648ce3d040302'],
    ['2.5.4.3', () => objectIdentifier('2.5.4.3'), '0603550403'],
    ['2049', () => time(Date.UTC(2049, 11, 31, 23, 59, 59)), `170d${hex(Buffer.from('491231235959Z'))}`],
    ['2050', () => time(Date.UTC(2050, 0, 1)), `180f${hex(Buffer.from('20500101000000Z'))}`],
  ])('writes %s', (_, write, expected) => {
    expect(hex(write())).toBe(expected);
  });
});

describe('selfSigned', () => {
  const names = ['localhost', 'tv.example.org', '192.0.2.7', '::1', '2001:db8::192.0.2.1'];
  const identity = selfSigned({ names, notBefore: NOW, notAfter: NOW + DAY });
  const certificate = new X509Certificate(identity.certificate);

  it('is good for its names and for nothing else', () => {
    expect(certificate.checkHost('localhost')).toBe('localhost');
    expect(certificate.checkHost('tv.example.org')).toBe('tv.example.org');
    expect(certificate.checkHost('example.org')).toBeUndefined();
    expect(certificate.checkIP('192.0.2.7')).toBe('192.0.2.7');
    expect(certificate.checkIP('::1')).toBeDefined();
    expect(certificate.checkIP('2001:db8::c000:201')).toBeDefined();
    expect(certificate.checkIP('192.0.2.8')).toBeUndefined();
    expect(certificate.ca).toBe(false);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect([Date.parse(certificate.validFrom), Date.parse(certificate.validTo)]).toEqual([NOW, NOW + DAY]);
  });

  it('is read by openssl without a word', () => {
    const text = execFileSync('openssl', ['x509', '-noout', '-text'], {
      input: identity.certificate,
      stdio: ['pipe', 'pipe', 'pipe'],
    }).toString();
    expect(text).toContain('Version: 3');
    expect(text).toContain('DNS:tv.example.org');
    expect(text).toContain('TLS Web Server Authentication');
  });
});

describe('loadIdentity', () => {
  it('makes a certificate once, for its owner only, and again before it ends', () => {
    const data = join(folder(), 'data');
    const source = { data, names: ['tv.example.org'] };
    const first = loadIdentity(source, NOW);
    const file = join(data, OWN_CERTIFICATE_FILE);
    expect(statSync(file).mode & 0o077).toBe(0);
    expect(loadIdentity(source, NOW + 300 * DAY)).toEqual(first);
    expect(loadIdentity({ data, names: [] }, NOW)).toEqual(first);
    const next = loadIdentity(source, NOW + 370 * DAY);
    expect(fingerprint(next)).not.toBe(fingerprint(first));
    const other = loadIdentity({ data, names: ['tv2.example.org'] }, NOW + 370 * DAY);
    expect(new X509Certificate(other.certificate).checkHost('tv2.example.org')).toBeDefined();
    expect(new X509Certificate(other.certificate).checkHost('localhost')).toBeDefined();
  });

  it('replaces a damaged file', () => {
    const data = folder();
    writeFileSync(join(data, OWN_CERTIFICATE_FILE), 'not a certificate');
    const made = loadIdentity({ data, names: [] }, NOW);
    expect(readFileSync(join(data, OWN_CERTIFICATE_FILE), 'utf8')).toBe(made.key + made.certificate);
  });

  it('takes the operator’s files, if they belong together', () => {
    const data = folder();
    const one = selfSigned({ names: ['a.example'], notBefore: NOW, notAfter: NOW + DAY });
    const two = selfSigned({ names: ['b.example'], notBefore: NOW, notAfter: NOW + DAY });
    const path = (name: string, text: string): string => {
      writeFileSync(join(data, name), text);
      return join(data, name);
    };
    const certificateFile = path('cert.pem', one.certificate);
    const keyFile = path('key.pem', one.key);
    expect(loadIdentity({ data, names: [], certificateFile, keyFile }, NOW)).toEqual(one);
    const wrong = path('other.pem', two.key);
    expect(() => loadIdentity({ data, names: [], certificateFile, keyFile: wrong }, NOW)).toThrow(
      'is not the key',
    );
    expect(() => loadIdentity({ data, names: [], certificateFile: '/nowhere', keyFile }, NOW)).toThrow();
  });
});
