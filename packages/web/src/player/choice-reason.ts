import type { TransportChoice } from '@onair/client';
import { transportName } from '../words/format.ts';
import { t } from '../words/words.ts';

/** Why the transport in use is in use, as a sentence. */
export function choiceReason(choice: TransportChoice): string {
  const name = transportName(choice.transport);
  if (choice.why === 'fallback' && choice.failed !== undefined) {
    return t('transport.why.fallback', {
      name,
      failed: transportName(choice.failed.transport),
      reason: choice.failed.failure.detail,
    });
  }
  return t(choice.why === 'chosen' ? 'transport.why.chosen' : 'transport.why.first', { name });
}
