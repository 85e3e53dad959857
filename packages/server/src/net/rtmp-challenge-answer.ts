import { createHash, randomBytes } from 'node:crypto';
import { answerChallenge, type RtmpUrl, readChallenge, withAppQuery } from '@onair/media/rtmp';

/** Attempts until a server that asks for name and password must be content: without, with the name, with the proof. */
const MAX_ATTEMPTS = 3;

/** Answers servers that ask for name and password, if the address holds them. */
export class ChallengeAnswers {
  readonly #url: RtmpUrl;
  #attempts = 1;

  /** @param url as the operator wrote it. */
  constructor(url: RtmpUrl) {
    this.#url = url;
  }

  /** Where to go after a refusal with this description; undefined if the refusal is final. */
  next(description: string): RtmpUrl | undefined {
    const { credentials, app } = this.#url;
    const word = credentials === undefined ? undefined : readChallenge(description);
    if (credentials === undefined || word === undefined || this.#attempts++ >= MAX_ATTEMPTS) return undefined;
    const [path = ''] = app.split('?');
    const own = randomBytes(4).toString('hex');
    const query = answerChallenge(word, credentials, path, own, (text) =>
      createHash('md5').update(text, 'utf8').digest(),
    );
    return query === undefined ? undefined : withAppQuery(this.#url, query);
  }
}
