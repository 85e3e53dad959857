import type { Sdp, SdpAttribute } from './model.ts';

/**
 * Writes a description. Values come from a parser or from this process, so none has a line end; one that has is a
 * fault of the program.
 */
export function writeSdp(sdp: Sdp): string {
  const lines = ['v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=-', 't=0 0', ...sdp.attributes.map(line)];
  for (const media of sdp.media) {
    lines.push(
      `m=${media.kind} ${media.port} ${media.protocol} ${media.formats.join(' ')}`,
      'c=IN IP4 0.0.0.0',
    );
    lines.push(...media.attributes.map(line));
  }
  for (const one of lines) if (/[\r\n\0]/.test(one)) throw new TypeError('a line end within a line of SDP');
  return `${lines.join('\r\n')}\r\n`;
}

function line({ name, value }: SdpAttribute): string {
  return value === undefined ? `a=${name}` : `a=${name}:${value}`;
}
