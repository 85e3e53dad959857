/** What a user's name may look like: it is the stream's name too. */
export const USER = /^[A-Za-z0-9_-]{1,64}$/;

const STORED = 'onair.user';

/** The name under which this browser cast last, or one that is most likely free. */
export function rememberedUser(): string {
  try {
    const stored = localStorage.getItem(STORED) ?? '';
    if (USER.test(stored)) return stored;
  } catch {
    // storage is refused
  }
  return `user-${Math.random().toString(36).slice(2, 6)}`;
}

/** Keeps the name for the next visit. */
export function rememberUser(user: string): void {
  try {
    localStorage.setItem(STORED, user);
  } catch {
    // storage is refused: the name is for this page only
  }
}
