import { type AmfValue, encodeAmf0 } from '@onair/media/amf';
import { MAX_SHARED_OBJECT_NAME, type SharedObjectEvent, type SharedObjectMessage } from '@onair/media/rtmp';
import { type KeptObject, SharedObjectFiles } from './shared-object-files.ts';

/** Objects of one application that are in use or kept. */
export const MAX_OBJECTS = 256;
/** Properties of one object. */
export const MAX_PROPERTIES = 256;
/** All properties of one object, in bytes of AMF0. */
export const MAX_OBJECT_BYTES = 262_144;
/** Longest name of an object, in bytes of UTF-8: with it a file is named. */
export const MAX_NAME_BYTES = 160;
/** Objects that one client may use. */
export const MAX_USED = 32;
/** Changes are written to the disk together, in milliseconds. */
const SETTLE_MS = 500;

/** A client that uses shared objects. */
export interface SharedObjectUser {
  readonly app: string;
  send(message: Omit<SharedObjectMessage, 'kind'>): void;
}

/** What shared objects stand on. */
export interface SharedObjectsDeps {
  /** Folder for those that are kept. */
  readonly folder: string;
  /** True if the application has shared objects. */
  serves(app: string): boolean;
  fault(error: unknown): void;
}

interface SharedObject {
  readonly app: string;
  readonly name: string;
  readonly persistent: boolean;
  readonly properties: Map<string, { readonly value: AmfValue; readonly bytes: number }>;
  /** Clients that use it, and the encoding that each of them speaks. */
  readonly users: Map<SharedObjectUser, 0 | 3>;
  version: number;
  changed: boolean;
}

/** Why a wish was not granted; the code of a status. */
type Refusal = `SharedObject.${'NoReadAccess' | 'NoWriteAccess' | 'BadPersistence' | 'ObjectCreationFailed'}`;

/**
 * The remote shared objects of all applications (RTMP 1.0 §7.1.3): properties that every client of an application that uses an
 * object sees, each change with a version of its own. Persistent ones outlive their users and the server.
 */
export class SharedObjects {
  readonly #deps: SharedObjectsDeps;
  readonly #files: SharedObjectFiles;
  readonly #apps = new Map<string, Map<string, SharedObject>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: SharedObjectsDeps) {
    this.#deps = deps;
    this.#files = new SharedObjectFiles(deps.folder);
  }

  /** Takes what a client says about an object. */
  take(user: SharedObjectUser, message: SharedObjectMessage): void {
    for (const event of message.events) {
      const refused = this.#event(user, message, event);
      if (refused !== undefined)
        this.#tell(user, message, [{ kind: 'status', code: refused, level: 'error' }]);
    }
  }

  /** A client has gone. */
  left(user: SharedObjectUser): void {
    for (const object of [...(this.#apps.get(user.app)?.values() ?? [])]) this.#release(object, user);
  }

  /** The properties of an object as a script sees them; undefined if there is none and none can be made. */
  read(app: string, name: string, persistent: boolean): Readonly<Record<string, AmfValue>> | undefined {
    const object = this.#open(app, name, persistent);
    if (typeof object === 'string') return undefined;
    return Object.fromEntries([...object.properties].map(([key, { value }]) => [key, value]));
  }

  /** Sets a property, or removes it where `value` is undefined. False if that is not possible. */
  write(app: string, name: string, persistent: boolean, key: string, value: AmfValue): boolean {
    const object = this.#open(app, name, persistent);
    if (typeof object === 'string') return false;
    if (value === undefined) this.#remove(object, [key]);
    else return this.#change(object, [[key, value]]);
    return true;
  }

  /** Calls a method at every client that uses an object. */
  send(app: string, name: string, method: string, args: readonly AmfValue[]): void {
    const object = this.#apps.get(app)?.get(name);
    if (object !== undefined) this.#broadcast(object, [{ kind: 'sendMessage', method, args }]);
  }

  /** Writes what has changed to the disk. Safe to call twice. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const objects of this.#apps.values()) for (const object of objects.values()) this.#keep(object);
    this.#apps.clear();
  }

  #event(
    user: SharedObjectUser,
    message: SharedObjectMessage,
    event: SharedObjectEvent,
  ): Refusal | undefined {
    if (event.kind === 'use') return this.#use(user, message);
    const object = this.#apps.get(user.app)?.get(message.name);
    if (object === undefined || !object.users.has(user)) return 'SharedObject.NoReadAccess';
    switch (event.kind) {
      case 'release':
        this.#release(object, user);
        return undefined;
      case 'requestChange': {
        if (!this.#change(object, event.values, user)) return 'SharedObject.NoWriteAccess';
        const names = event.values.map(([name]) => name);
        this.#tell(user, object, [{ kind: 'success', names }]);
        return undefined;
      }
      case 'requestRemove':
        this.#remove(object, event.names);
        return undefined;
      case 'sendMessage':
        this.#broadcast(object, [event]);
        return undefined;
      default:
        return undefined; // servers say these
    }
  }

  #use(user: SharedObjectUser, { name, persistent, encoding }: SharedObjectMessage): Refusal | undefined {
    if (!this.#deps.serves(user.app)) return 'SharedObject.NoReadAccess';
    const used = [...(this.#apps.get(user.app)?.values() ?? [])].filter(({ users }) => users.has(user));
    if (used.length >= MAX_USED) return 'SharedObject.ObjectCreationFailed';
    const object = this.#open(user.app, name, persistent);
    if (typeof object === 'string') return object;
    object.users.set(user, encoding);
    const values = [...object.properties].map(([key, { value }]) => [key, value] as const);
    const change: SharedObjectEvent[] = values.length === 0 ? [] : [{ kind: 'change', values }];
    this.#tell(user, object, [{ kind: 'useSuccess' }, { kind: 'clear' }, ...change]);
    return undefined;
  }

  #open(app: string, name: string, persistent: boolean): SharedObject | Refusal {
    let objects = this.#apps.get(app);
    const known = objects?.get(name);
    if (known !== undefined) return known.persistent === persistent ? known : 'SharedObject.BadPersistence';
    const nameable = name !== '' && Buffer.byteLength(name) <= MAX_NAME_BYTES;
    if (!nameable || (objects?.size ?? 0) >= MAX_OBJECTS) return 'SharedObject.ObjectCreationFailed';
    let kept: KeptObject | undefined;
    try {
      if (persistent && !this.#files.hasRoom(app, name, MAX_OBJECTS))
        return 'SharedObject.ObjectCreationFailed';
      kept = persistent ? this.#files.read(app, name) : undefined;
    } catch (error) {
      this.#deps.fault(error);
      return 'SharedObject.ObjectCreationFailed';
    }
    const properties = Object.entries(kept?.properties ?? {}).map(
      ([key, value]) => [key, { value, bytes: sizeOf(key, value) }] as const,
    );
    const object: SharedObject = {
      app,
      name,
      persistent,
      properties: new Map(properties),
      users: new Map(),
      version: kept?.version ?? 0,
      changed: false,
    };
    if (objects === undefined) {
      objects = new Map();
      this.#apps.set(app, objects);
    }
    objects.set(name, object);
    return object;
  }

  /** Sets properties, all or none. @param by who wants it, and is told in other words. */
  #change(
    object: SharedObject,
    values: readonly (readonly [string, AmfValue])[],
    by?: SharedObjectUser,
  ): boolean {
    const after = new Map(object.properties);
    for (const [key, value] of values) after.set(key, { value, bytes: sizeOf(key, value) });
    const bytes = [...after.values()].reduce((sum, one) => sum + one.bytes, 0);
    const nameable = values.every(([key]) => Buffer.byteLength(key) <= MAX_SHARED_OBJECT_NAME);
    if (!nameable || after.size > MAX_PROPERTIES || bytes > MAX_OBJECT_BYTES) return false;
    for (const [key] of values) object.properties.set(key, after.get(key)!);
    this.#changed(object);
    this.#broadcast(object, [{ kind: 'change', values }], by);
    return true;
  }

  #remove(object: SharedObject, names: readonly string[]): void {
    const removed = names.filter((name) => object.properties.delete(name));
    if (removed.length === 0) return;
    this.#changed(object);
    this.#broadcast(object, [{ kind: 'remove', names: removed }]);
  }

  #changed(object: SharedObject): void {
    object.version = (object.version + 1) >>> 0;
    object.changed = true;
    if (!object.persistent) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      for (const objects of this.#apps.values()) for (const one of objects.values()) this.#keep(one);
    }, SETTLE_MS);
  }

  #keep(object: SharedObject): void {
    if (!object.changed || !object.persistent) return;
    object.changed = false;
    const { app, name, version, properties } = object;
    try {
      const values = Object.fromEntries([...properties].map(([key, { value }]) => [key, value]));
      this.#files.write(app, name, { version, properties: values });
    } catch (error) {
      this.#deps.fault(error);
    }
  }

  /** Whoever is left keeps it; with nobody left it is forgotten, or remembered on the disk. */
  #release(object: SharedObject, user: SharedObjectUser): void {
    if (!object.users.delete(user) || object.users.size > 0) return;
    this.#keep(object);
    const objects = this.#apps.get(object.app);
    objects?.delete(object.name);
    if (objects?.size === 0) this.#apps.delete(object.app);
  }

  #broadcast(object: SharedObject, events: readonly SharedObjectEvent[], but?: SharedObjectUser): void {
    for (const user of object.users.keys()) if (user !== but) this.#tell(user, object, events);
  }

  #tell(
    user: SharedObjectUser,
    {
      name,
      persistent,
      version,
      ...more
    }: Pick<SharedObject, 'name' | 'persistent' | 'version'> & {
      readonly users?: SharedObject['users'];
      readonly encoding?: 0 | 3;
    },
    events: readonly SharedObjectEvent[],
  ): void {
    const encoding = more.users?.get(user) ?? more.encoding ?? 0;
    user.send({ name, persistent, version, events, encoding });
  }
}

function sizeOf(key: string, value: AmfValue): number {
  return key.length + encodeAmf0([value]).length;
}
