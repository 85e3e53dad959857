/** What a status tells: at least its code and level. */
export interface StatusInfo {
  readonly code: string;
  readonly level: string;
  readonly description?: unknown;
  readonly [property: string]: unknown;
}

/** Something has happened to a connection, a stream or a shared object. */
export class NetStatusEvent extends Event {
  static readonly NET_STATUS = 'netStatus';
  readonly info: StatusInfo;

  constructor(info: StatusInfo) {
    super(NetStatusEvent.NET_STATUS);
    this.info = info;
  }
}

/** A callback that the server asked for is missing or failed. */
export class AsyncErrorEvent extends Event {
  static readonly ASYNC_ERROR = 'asyncError';
  readonly error: unknown;
  readonly text: string;

  constructor(error: unknown) {
    super(AsyncErrorEvent.ASYNC_ERROR);
    this.error = error;
    this.text = error instanceof Error ? error.message : String(error);
  }
}

/** One change of a shared object: `name` is missing where all of it was cleared. */
export interface SyncChange {
  readonly code: 'clear' | 'success' | 'change' | 'delete' | 'reject';
  readonly name?: string;
  readonly oldValue?: unknown;
}

/** A shared object has changed. */
export class SyncEvent extends Event {
  static readonly SYNC = 'sync';
  readonly changeList: readonly SyncChange[];

  constructor(changeList: readonly SyncChange[]) {
    super(SyncEvent.SYNC);
    this.changeList = changeList;
  }
}
