import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import type { Scope } from '../../test/kit/scope.ts';
import type { Ask, Ending, HostAnswer, ProgramState } from './words.ts';

type Wish = Ask extends infer A ? (A extends Ask ? Omit<A, 'id'> : never) : never;

/** So deep below the root that the addresses in the kit's modules stay right. */
const folder = fileURLToPath(new URL('../work/relay/', import.meta.url));
/** A host that is silent for so long has failed, ms. */
const ANSWER_MS = 20_000;

/** Makes one file of the program that a {@link Host} runs. Returns its path. */
export async function buildHost(): Promise<string> {
  const bundle = await rolldown({
    input: { host: fileURLToPath(new URL('host.ts', import.meta.url)) },
    platform: 'node',
    resolve: { conditionNames: ['onair-source', 'node', 'import', 'default'] },
    logLevel: 'silent',
  });
  await bundle.write({ dir: folder, format: 'esm', entryFileNames: '[name].mjs' });
  await bundle.close();
  return `${folder}host.mjs`;
}

/** A process with some peers in it. */
export class Host {
  /** Names of the peers in it. */
  readonly uuids = new Set<string>();
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (answer: HostAnswer) => void>();
  #asked = 0;

  /** The scope ends it. */
  constructor(scope: Scope, path: string) {
    this.#process = fork(path, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    scope.defer(() => this.#process.kill('SIGKILL'));
    this.#process.on('message', (answer: HostAnswer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  /** Puts the direct viewer into it. */
  async compareWith(address: string): Promise<void> {
    await this.#ask({ do: 'direct', address });
  }

  /** One more peer. Returns its name. */
  async join(address: string): Promise<string> {
    const { uuid } = await this.#ask({ do: 'join', address });
    this.uuids.add(uuid!);
    return uuid!;
  }

  /** Ends one of its peers. */
  async end(uuid: string, how: Ending): Promise<void> {
    this.uuids.delete(uuid);
    await this.#ask({ do: 'end', uuid, how });
  }

  /** From here on delays and stalls count. */
  async mark(): Promise<void> {
    await this.#ask({ do: 'mark' });
  }

  /** Blocks since the mark at that of its peers that had fewest; infinite without peers. */
  async count(): Promise<number> {
    const { least } = await this.#ask({ do: 'count' });
    // JSON has no infinity.
    return least ?? Number.POSITIVE_INFINITY;
  }

  /** What its peers and its direct viewer got. */
  async look(): Promise<Required<Pick<HostAnswer, 'programs' | 'direct' | 'busyMs'>>> {
    const { programs, direct, busyMs } = await this.#ask({ do: 'look' });
    return { programs: programs as readonly ProgramState[], direct: direct!, busyMs: busyMs! };
  }

  /** Ends the process as a failing power supply would, or stops it so that not one packet is taken or answered. */
  strike(how: 'SIGKILL' | 'SIGSTOP'): void {
    this.uuids.clear();
    this.#process.kill(how);
  }

  #ask(wish: Wish): Promise<HostAnswer> {
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${wish.do}`)), ANSWER_MS);
      this.#waiting.set(id, (answer) => {
        clearTimeout(timer);
        if (answer.error === undefined) resolve(answer);
        else reject(new Error(answer.error));
      });
      this.#process.send({ ...wish, id });
    });
  }
}
