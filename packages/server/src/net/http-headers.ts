/** What an answer is, as far as browsers have to be told how to treat it. */
export type AnswerKind = 'api' | 'page' | 'embed' | 'asset' | 'media';

const COMMON: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

const CLOSED_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** Headers that any page may read of a media answer. */
const EXPOSED = 'Content-Length, Content-Range, Date, Retry-After';

/** The security headers of an answer. `host` is the `Host` header, so that its WebSockets are allowed. */
export function securityHeaders(
  kind: AnswerKind,
  host: string | undefined,
): Readonly<Record<string, string>> {
  switch (kind) {
    case 'page':
    case 'embed':
      return {
        ...COMMON,
        // Only the origin's own pages may frame a page, except the one that is made for it.
        'content-security-policy': pagePolicy(host, kind === 'embed' ? '*' : "'self'"),
        ...(kind === 'page' ? { 'x-frame-options': 'SAMEORIGIN' } : {}),
        'cross-origin-opener-policy': kind === 'page' ? 'same-origin' : 'unsafe-none',
        'cross-origin-resource-policy': kind === 'page' ? 'same-origin' : 'cross-origin',
        'permissions-policy': 'camera=(self), microphone=(self), display-capture=(self), geolocation=()',
      };
    case 'asset':
    case 'media':
      return {
        ...COMMON,
        'access-control-allow-origin': '*',
        'access-control-expose-headers': EXPOSED,
        'cross-origin-resource-policy': 'cross-origin',
        'timing-allow-origin': '*',
      };
    case 'api':
      return {
        ...COMMON,
        'content-security-policy': CLOSED_POLICY,
        'cross-origin-resource-policy': 'same-origin',
        'cache-control': 'no-store',
      };
  }
}

/** Headers of the answer to a preflight request for media (Fetch §4.8). */
export function mediaPreflightHeaders(): Readonly<Record<string, string>> {
  return {
    ...securityHeaders('media', undefined),
    'access-control-allow-methods': 'GET, HEAD, OPTIONS',
    'access-control-allow-headers': 'Range, If-None-Match, If-Modified-Since',
    'access-control-max-age': '86400',
  };
}

/** Scripts come from the server alone, never from the page itself; styles may stand in shadow trees. */
function pagePolicy(host: string | undefined, ancestors: string): string {
  // Not every browser takes 'self' for WebSockets of the same host.
  const sockets = host !== undefined && /^[\w.:[\]-]{1,255}$/.test(host) ? ` ws://${host} wss://${host}` : '';
  return [
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "media-src 'self' data: blob:",
    `connect-src 'self'${sockets}`,
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    `frame-ancestors ${ancestors}`,
  ].join('; ');
}
