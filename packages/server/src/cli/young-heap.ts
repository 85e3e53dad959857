import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the part of the heap where objects begin at the size that it has: V8 would double it with every wave of
 * viewers, up to 32 MB that stay, for objects that a server has few of. What viewers cost is their buffers and sockets.
 */
export function keepYoungHeap(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  // V8 takes compiled code only under the flags that it was made with: what is loaded from here on is compiled anew, and
  // what was loaded before is kept at the end as it was loaded.
  process.prependOnceListener('exit', () => setFlagsFromString('--semi-space-growth-factor=2'));
}
