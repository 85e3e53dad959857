/** Longest token that is taken from an address, in characters. */
const MAX_TOKEN = 512;

/** The token in the fragment of a printed sign-in address (`#token=…`); undefined if there is none. */
export function tokenOfFragment(fragment: string): string | undefined {
  const token = new URLSearchParams(fragment.replace(/^#/, '')).get('token');
  return token === null || token === '' || token.length > MAX_TOKEN ? undefined : token;
}

/** Where to go after signing in: a page of this server that the query names, else `otherwise`. */
export function pageAfter(query: string, otherwise = '/dashboard'): string {
  const next = new URLSearchParams(query).get('next') ?? '';
  return /^\/(?![/\\])[\w\-/.]*$/.test(next) ? next : otherwise;
}
