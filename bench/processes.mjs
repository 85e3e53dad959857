// Child processes of the benchmarks: started, measured and ended by their process id.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const alive = new Set();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

/** Start a program. `tail()` gives the end of what it wrote, `stop()` returns when it is gone. */
export function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  alive.add(child);
  let output = '';
  const keep = (text) => {
    output = (output + text).slice(-4000);
  };
  child.stdout?.setEncoding('utf8').on('data', keep);
  child.stderr?.setEncoding('utf8').on('data', keep);
  const exited = new Promise((resolve) => {
    const end = (code) => {
      alive.delete(child);
      resolve(code);
    };
    child.once('exit', end);
    child.once('error', (error) => {
      keep(String(error));
      end(127);
    });
  });
  return {
    pid: child.pid,
    exited,
    get running() {
      return child.exitCode === null && child.signalCode === null;
    },
    tail: () => output.trim(),
    async stop(graceMs = 4000) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** Run a program to its end; its standard output. Throws with its words when it fails. */
export async function run(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  alive.add(child);
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err = (err + text).slice(-2000);
  });
  const code = await new Promise((resolve) => {
    child.once('close', resolve);
    child.once('error', (error) => {
      err += String(error);
      resolve(127);
    });
  });
  alive.delete(child);
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${err || out.slice(-2000)}`);
  return out;
}

/** A port of loopback that is free now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Wait until something accepts connections on a port of loopback; the time of that by `performance.now()`. Throws when `child` ends before. */
export async function listening(port, child, timeoutMs = 15_000) {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const open = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.unref();
      socket.once('connect', () => socket.destroy());
    });
    if (open) return performance.now();
    if (!child.running) throw new Error(`server ended: ${child.tail()}`);
    if (performance.now() > end) throw new Error(`nothing listens on ${port}: ${child.tail()}`);
    await sleep(5);
  }
}

/** kB of memory the process and its descendants hold. */
export function rss(pid) {
  let total = 0;
  for (const id of family(pid)) {
    try {
      total += Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? 0);
    } catch {
      // It ended meanwhile.
    }
  }
  return total;
}

/** The process and everything it started. */
function family(pid) {
  const children = new Map();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
    } catch {
      // It ended meanwhile.
    }
  }
  const found = [pid];
  for (let at = 0; at < found.length; at++) found.push(...(children.get(found[at]) ?? []));
  return found;
}
