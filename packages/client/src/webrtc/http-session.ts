/** A session that a server made of an offer: WHIP (RFC 9725 §4.2) and WHEP alike. */
export interface HttpSession {
  readonly answer: string;
  /** Ends the session on the server. */
  end(): void;
}

/** Why a server made no session. */
export class OfferRefused extends Error {
  override readonly name = 'OfferRefused';
  /** HTTP status; 0 if no answer came. */
  readonly status: number;
  /** Code of the problem document, if there was one. */
  readonly code: string | undefined;

  constructor(status: number, code: string | undefined, detail: string) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

/** How long candidates are gathered before the offer goes out without those still to come, ms. */
const GATHER_MS = 300;

/**
 * Offers what `connection` has and takes the answer.
 * @param token shown as bearer token. @throws OfferRefused
 */
export async function offerTo(
  address: string,
  connection: RTCPeerConnection,
  token: string | undefined,
  signal: AbortSignal,
): Promise<HttpSession> {
  await connection.setLocalDescription();
  await gathered(connection);
  const authorization: Record<string, string> =
    token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/sdp', ...authorization },
    body: connection.localDescription?.sdp ?? '',
    cache: 'no-store',
    signal,
  }).catch((error: unknown) => {
    throw new OfferRefused(0, undefined, String(error));
  });
  const text = await response.text();
  if (response.status !== 201) {
    const { code, detail = `HTTP ${response.status}` } = problemIn(text);
    throw new OfferRefused(response.status, code, detail);
  }
  const location = response.headers.get('location');
  let open = true;
  const end = (): void => {
    if (!open || location === null) return;
    open = false;
    const resource = new URL(location, response.url);
    fetch(resource, { method: 'DELETE', headers: authorization, keepalive: true }).catch(() => undefined);
  };
  try {
    await connection.setRemoteDescription({ type: 'answer', sdp: text });
  } catch (error) {
    end();
    throw new OfferRefused(response.status, undefined, String(error));
  }
  return { answer: text, end };
}

/** What is used of a problem document (RFC 9457). */
function problemIn(text: string): { readonly code?: string; readonly detail?: string } {
  try {
    const { code, detail, title } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const told = typeof detail === 'string' ? detail : title;
    return {
      ...(typeof code === 'string' ? { code } : {}),
      ...(typeof told === 'string' ? { detail: told } : {}),
    };
  } catch {
    return {};
  }
}

/** The server answers whoever reaches it, so that the offer need not wait for every candidate. */
function gathered(connection: RTCPeerConnection): Promise<void> {
  if (connection.iceGatheringState === 'complete') return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(done, GATHER_MS);
    function done(): void {
      clearTimeout(timer);
      connection.removeEventListener('icegatheringstatechange', changed);
      resolve();
    }
    function changed(): void {
      if (connection.iceGatheringState === 'complete') done();
    }
    connection.addEventListener('icegatheringstatechange', changed);
  });
}
