import type { JSX } from 'preact';
import { t } from '../words/words.ts';
import './roles.css';

const ROLES = ['reporter', 'recorder', 'viewer'] as const;
/** Who somebody is in a report from outside: one shows, one records, many watch. */
export type Role = (typeof ROLES)[number];

/** The way to the pages of the other roles. */
export function Roles({ here }: { readonly here: Role }): JSX.Element {
  return (
    <nav class="roles" aria-label={t('roles')}>
      {ROLES.map((one) => (
        <a key={one} href={`/${one}`} aria-current={one === here ? 'page' : undefined}>
          {t(`roles.${one}`)}
        </a>
      ))}
    </nav>
  );
}
