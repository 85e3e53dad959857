// Runs one application script in a thread of its own. Plain JavaScript beside the sources, since a thread is started
// from a file that must be there both when the server runs from its sources and when it was built.
import { register } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';

/** Calls of clients that wait for their answers, at most. */
const MAX_ASKED = 1000;
/** Longest line that a script logs, in characters. */
const MAX_LINE = 4000;

const post = (message) => parentPort.postMessage(message);
const asked = new Map();
let lastAsked = 0;

/** What a script exports is what it is: the name is for readers and for types. */
globalThis.defineApp = (app) => app;

for (const level of ['debug', 'log', 'info', 'warn', 'error']) {
  console[level] = (...parts) => {
    const text = parts.map((part) => (typeof part === 'string' ? part : safeText(part))).join(' ');
    post({ kind: 'log', level: level === 'log' ? 'info' : level, text: text.slice(0, MAX_LINE) });
  };
}

function safeText(value) {
  try {
    if (value instanceof Error) return String(value.stack ?? value);
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

/** The JSON of what a script gives. @throws for what contains itself. */
function jsonOf(value) {
  return JSON.stringify(value ?? null) ?? 'null';
}

/** Asks the server; resolves with its answer. */
function ask(question) {
  if (asked.size >= MAX_ASKED) return Promise.reject(new Error('too many calls wait for their answers'));
  const id = ++lastAsked;
  return new Promise((resolve, reject) => {
    asked.set(id, { resolve, reject });
    post({ ...question, id });
  });
}

function clientOf(info) {
  return {
    ...info,
    /** Calls a method of the client; resolves with its answer. */
    call: (method, ...args) =>
      ask({ kind: 'ask', client: info.id, method: String(method), args: jsonOf(args) }),
  };
}

/** A remote shared object of the application. Everything resolves once it is done. */
function objectOf(name, persistent) {
  const act = (does, args) =>
    ask({ kind: 'object', does, name: String(name), persistent: persistent === true, args: jsonOf(args) });
  return {
    /** All properties. */
    get: () => act('read', []),
    set: (key, value) => act('set', [String(key), value]),
    remove: (key) => act('remove', [String(key)]),
    /** Calls a method at every client that uses the object. */
    send: (method, ...args) => act('send', [String(method), ...args]),
  };
}

globalThis.onair = {
  /** Calls a method of every client of the application; no answers are waited for. */
  broadcast: (method, ...args) => post({ kind: 'broadcast', method: String(method), args: jsonOf(args) }),
  /** Puts a timed event into a stream of the application, as the HTTP API takes it. */
  event: (stream, event) => post({ kind: 'event', stream: String(stream), event: jsonOf(event) }),
  /** A remote shared object. @param persistent whether it outlives its users. */
  sharedObject: (name, persistent = false) => objectOf(name, persistent),
};

async function main() {
  if (/\.m?ts$/.test(workerData.url) && !process.features.typescript)
    register('./script-types.mjs', import.meta.url);
  const { default: app } = await import(workerData.url);
  if (typeof app !== 'object' || app === null)
    throw new TypeError('a script exports its application by default');
  const methods = new Map(
    Object.entries(app.methods ?? {}).filter(([, method]) => typeof method === 'function'),
  );
  const hooks = ['onConnect', 'onPublish', 'onPlay', 'onLeave'].filter(
    (name) => typeof app[name] === 'function',
  );
  const run = async (message) => {
    if (message.kind === 'call') {
      const method = methods.get(message.method);
      return method.call(app, clientOf(message.client), ...JSON.parse(message.args));
    }
    return app[message.hook](clientOf(message.client), message.target);
  };
  parentPort.on('message', (message) => {
    switch (message.kind) {
      case 'call':
      case 'hook':
        run(message)
          .then((value) => post({ kind: 'result', id: message.id, ok: true, value: jsonOf(value) }))
          .catch((error) => {
            const text = error instanceof Error ? error.message : safeText(error);
            post({ kind: 'result', id: message.id, ok: false, value: text.slice(0, MAX_LINE) });
          });
        return;
      case 'answer': {
        const waiting = asked.get(message.id);
        asked.delete(message.id);
        if (message.ok) waiting?.resolve(JSON.parse(message.value));
        else waiting?.reject(new Error(message.value));
      }
    }
  });
  await app.onStart?.();
  post({ kind: 'ready', methods: [...methods.keys()], hooks });
}

process.on('unhandledRejection', (error) => console.error('unhandled rejection', error));
main().catch((error) => post({ kind: 'failed', text: safeText(error).slice(0, MAX_LINE) }));
