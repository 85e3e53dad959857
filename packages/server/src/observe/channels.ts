import { channel as nodeChannel } from 'node:diagnostics_channel';

/** A named point in the server that tests, metrics and debuggers can listen to; costs nothing without listeners. */
export interface Channel<T> {
  readonly name: string;
  /** True if somebody listens, so that a costly message need not be built in vain. */
  readonly heard: boolean;
  publish(message: T): void;
  /** Calls `listener` until the returned function is called. */
  listen(listener: (message: T) => void): () => void;
}

function channel<T>(name: string): Channel<T> {
  const inner = nodeChannel(name);
  return {
    name,
    get heard() {
      return inner.hasSubscribers;
    },
    publish(message) {
      if (inner.hasSubscribers) inner.publish(message);
    },
    listen(listener) {
      const subscriber = (message: unknown): void => listener(message as T);
      inner.subscribe(subscriber);
      return () => inner.unsubscribe(subscriber);
    },
  };
}

/** A session opened. */
export interface SessionOpened {
  readonly session: string;
  readonly protocol: string;
  readonly address: string;
}

/** A session ended, cleanly or not. */
export interface SessionClosed extends SessionOpened {
  /** Stable error code, or `closed` for a clean end. */
  readonly code: string;
}

/** Somebody asked to publish or to sign in and was refused. */
export interface AccessRefused {
  readonly protocol: string;
  readonly address: string;
  readonly code: string;
}

/** A connection or request was refused before any session, e.g. over a cap. */
export interface ConnectionRefused {
  readonly listener: 'http' | 'rtmp';
  readonly reason: string;
  readonly address: string;
}

/** The configuration was loaded anew, or the new file refused. */
export interface ConfigReloaded {
  readonly ok: boolean;
}

/** Every diagnostics channel of the server. */
export const channels = {
  sessionOpened: channel<SessionOpened>('onair:session:opened'),
  sessionClosed: channel<SessionClosed>('onair:session:closed'),
  accessRefused: channel<AccessRefused>('onair:access:refused'),
  connectionRefused: channel<ConnectionRefused>('onair:connection:refused'),
  configReloaded: channel<ConfigReloaded>('onair:config:reloaded'),
} as const;
