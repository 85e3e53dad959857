// What application scripts have; for editors and the compiler. See docs/protocols/methods.md.

/** What JSON can hold. */
type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Who calls. */
interface AppClient {
  readonly id: string;
  readonly app: string;
  /** Remote address without port. */
  readonly address: string;
  readonly transport: 'rtmp' | 'websocket' | 'http';
  /** Calls a method of the client; rejects by HTTP, where it cannot be called. */
  call(method: string, ...args: readonly Json[]): Promise<Json>;
}

/** `false`, or an exception, refuses; a promise is waited for. */
type Verdict = unknown;

/** An application. */
interface App {
  /** What clients can call. Arguments come from them: check what they are. */
  // biome-ignore lint/suspicious/noExplicitAny: each method says itself what it expects
  readonly methods?: { readonly [name: string]: (client: AppClient, ...args: any[]) => unknown };
  onStart?(): unknown;
  onConnect?(client: AppClient, about: { readonly query: string }): Verdict;
  onPublish?(client: AppClient, about: { readonly stream: string }): Verdict;
  onPlay?(client: AppClient, about: { readonly stream: string }): Verdict;
  onLeave?(client: AppClient): void;
}

/** A remote shared object. Everything resolves once it is done. */
interface AppSharedObject {
  get(): Promise<{ readonly [name: string]: Json }>;
  set(key: string, value: Json): Promise<unknown>;
  remove(key: string): Promise<unknown>;
  /** Calls a method at every client that uses the object. */
  send(method: string, ...args: readonly Json[]): Promise<unknown>;
}

/** The application is what it is given; for readers and for types. */
declare function defineApp(app: App): App;

declare const onair: {
  /** Calls a method of every client of the application. */
  broadcast(method: string, ...args: readonly Json[]): void;
  /** Puts a timed event into a stream of the application, as the HTTP API takes it. */
  event(stream: string, event: { readonly name: string; readonly [field: string]: Json }): void;
  /** @param persistent whether it outlives its users */
  sharedObject(name: string, persistent?: boolean): AppSharedObject;
};
