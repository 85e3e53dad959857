import type { RelayAddresses, RelaySignalling } from '@onair/contracts/relay';

/**
 * What of a signal may go on to the other peer. Where a site asks for it, only candidates of TURN servers pass
 * (RFC 8839 §5.1), with no related address, so that peers do not learn each other's. Undefined if nothing is left.
 */
export function passedOn(signal: RelaySignalling, addresses: RelayAddresses): RelaySignalling | undefined {
  const { attempt, description, candidate } = signal;
  if (addresses === 'open') {
    return {
      attempt,
      ...(description === undefined ? {} : { description }),
      ...(candidate === undefined ? {} : { candidate }),
    };
  }
  const kept =
    candidate === undefined || (candidate.candidate !== '' && !isRelayed(candidate.candidate))
      ? undefined
      : { candidate: hideRelated(candidate.candidate), mid: candidate.mid };
  if (description === undefined) return kept === undefined ? undefined : { attempt, candidate: kept };
  const lines = description.sdp.split(/\r\n|\n/).flatMap((line) => {
    if (!line.startsWith('a=candidate:')) return [hideConnection(line)];
    return isRelayed(line) ? [hideRelated(line)] : [];
  });
  return {
    attempt,
    description: { type: description.type, sdp: lines.join('\r\n') },
    ...(kept === undefined ? {} : { candidate: kept }),
  };
}

function isRelayed(candidate: string): boolean {
  const fields = candidate.split(' ');
  return fields[6] === 'typ' && fields[7] === 'relay';
}

function hideRelated(candidate: string): string {
  return candidate.replace(/ raddr \S+/g, ' raddr 0.0.0.0').replace(/ rport \S+/g, ' rport 0');
}

/** Connection and origin lines may name an address too (RFC 8866 §5.2, §5.7). */
function hideConnection(line: string): string {
  if (line.startsWith('c=')) return 'c=IN IP4 0.0.0.0';
  return line.startsWith('o=') ? line.replace(/ IN IP[46] \S+$/, ' IN IP4 0.0.0.0') : line;
}
