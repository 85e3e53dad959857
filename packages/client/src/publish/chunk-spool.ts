/** Bytes that wait, by their place in the media. */
export interface ChunkSpool {
  /** Keeps bytes that begin at `offset`. */
  put(offset: number, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** The bytes that were put at `offset`. */
  get(offset: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Lets go of what was put at `offset`. */
  remove(offset: number): Promise<void>;
  /** Lets go of everything. */
  close(): Promise<void>;
}

/** A spool in memory. */
export class MemorySpool implements ChunkSpool {
  readonly #chunks = new Map<number, Uint8Array<ArrayBuffer>>();

  async put(offset: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#chunks.set(offset, bytes);
  }

  async get(offset: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#chunks.get(offset);
  }

  async remove(offset: number): Promise<void> {
    this.#chunks.delete(offset);
  }

  async close(): Promise<void> {
    this.#chunks.clear();
  }
}

const STORE = 'chunks';

/** A spool in a database of the browser, so that a long loss of the network does not fill the memory. */
export class DatabaseSpool implements ChunkSpool {
  readonly #database: IDBDatabase;

  private constructor(database: IDBDatabase) {
    this.#database = database;
  }

  /** Opens the database of an upload; rejects where the browser has none, as in some private windows. */
  static open(session: string): Promise<DatabaseSpool> {
    return new Promise((resolve, reject) => {
      const request = indexedDB.open(`onair-upload-${session}`, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onsuccess = () => resolve(new DatabaseSpool(request.result));
      request.onerror = () => reject(request.error ?? new Error('no database'));
    });
  }

  async put(offset: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#run('readwrite', (store) => store.put(bytes, offset));
  }

  get(offset: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#run(
      'readonly',
      (store) => store.get(offset) as IDBRequest<Uint8Array<ArrayBuffer> | undefined>,
    );
  }

  async remove(offset: number): Promise<void> {
    await this.#run('readwrite', (store) => store.delete(offset));
  }

  async close(): Promise<void> {
    const { name } = this.#database;
    this.#database.close();
    indexedDB.deleteDatabase(name);
  }

  #run<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const transaction = this.#database.transaction(STORE, mode);
      const request = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? new Error('the database refuses'));
      transaction.onerror = () => reject(transaction.error ?? new Error('the database refuses'));
    });
  }
}

/** The database where there is one, else memory. */
export async function openSpool(session: string): Promise<ChunkSpool> {
  try {
    return await DatabaseSpool.open(session);
  } catch {
    return new MemorySpool();
  }
}
