import { accessList, isAccessRule } from './access-rules.ts';
import { ConfError, type Directive, parseConf } from './conf.ts';
import { LACKING, NEEDLESS } from './directives.ts';
import { relayAddress } from './relay-address.ts';

/** A directive that was not taken over. */
export interface Remark {
  readonly line: number;
  readonly directive: string;
  /** `lacking`: there is no counterpart; `needless`: nothing need be said here. */
  readonly kind: 'lacking' | 'needless';
  readonly why: string;
}

/** A configuration of onair made of one of nginx. */
export interface Imported {
  /** As it is written to a configuration file. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly remarks: readonly Remark[];
}

type Section = Record<string, unknown>;
/** Callback directives and their keys. */
const CALLBACKS: Readonly<Record<string, string>> = {
  on_connect: 'onConnect',
  on_disconnect: 'onDisconnect',
  on_publish: 'onPublish',
  on_play: 'onPlay',
  on_publish_done: 'onPublishDone',
  on_play_done: 'onPlayDone',
  on_done: 'onDone',
  on_update: 'onUpdate',
  on_record_started: 'onRecordStarted',
  on_record_done: 'onRecordDone',
  on_playlist: 'onPlaylist',
};
/** Settings of applications that stand around them too. */
const INHERITED: ReadonlySet<string> = new Set([
  'hls',
  'hls_fragment',
  'hls_playlist_length',
  'dash',
  'record',
  'pull',
  'push',
  'allow',
  'deny',
]);
/** Parameters of `push` and `pull` that have a counterpart or need none. */
const RELAY_PARAMS: ReadonlySet<string> = new Set([
  'app',
  'name',
  'playPath',
  'live',
  'static',
  'start',
  'stop',
]);
const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const HLS_FRAGMENT_MS = 5000;
const HLS_PLAYLIST_MS = 30_000;

/** Makes a configuration of the `rtmp` block of nginx, and of the ports and pages of its `http` block. @throws ConfError */
export function importNginx(text: string): Imported {
  const work = new Importer();
  for (const directive of parseConf(text)) work.top(directive);
  return work.result();
}

class Importer {
  readonly #rtmp: Section = {};
  readonly #http: Section = {};
  readonly #nginx: Section = {};
  readonly #hls: Section[] = [];
  readonly #callbacks: Section[] = [];
  readonly #pulls: Section[] = [];
  readonly #pushes: Section[] = [];
  readonly #lists: Section[] = [];
  readonly #remarks: Remark[] = [];
  #recorded = false;
  #found = false;
  /** Settings of the blocks around applications that applications inherit. */
  #around: Directive[] = [];

  top(directive: Directive): void {
    if (directive.name === 'rtmp') {
      this.#found = true;
      const own = this.#callbacksOf(directive.block ?? [], {});
      for (const inner of directive.block ?? []) this.#inRtmp(inner, own);
    } else if (directive.name === 'http') for (const inner of directive.block ?? []) this.#inHttp(inner);
    else if (directive.name === 'include')
      this.#lacks(directive, 'included files are not read; import them too');
    else if (directive.name !== 'events' && directive.name !== 'worker_processes')
      this.#lacks(directive, 'a setting of nginx itself');
  }

  result(): Imported {
    if (!this.#found) throw new ConfError(1, 'there is no `rtmp` block');
    const config: Section = {};
    const add = (name: string, value: object): void => {
      if (Object.keys(value).length > 0) config[name] = value;
    };
    add('http', this.#http);
    add('rtmp', this.#rtmp);
    if (this.#hls.length > 0) add('hls', { streams: this.#hls });
    if (this.#recorded) add('record', { streams: 'all' });
    if (this.#lists.length > 0) add('auth', { lists: this.#lists });
    add('pulls', this.#pulls);
    add('pushes', this.#pushes);
    add('callbacks', this.#callbacks);
    add('nginx', this.#nginx);
    return { config, remarks: this.#remarks };
  }

  /** @param inherited callbacks of the blocks around */
  #inRtmp(directive: Directive, inherited: Section): void {
    if (INHERITED.has(directive.name)) {
      this.#around.push(directive);
      return;
    }
    if (directive.name !== 'server') {
      this.#setting(directive);
      return;
    }
    const block = directive.block ?? [];
    const own = this.#callbacksOf(block, inherited);
    const before = this.#around;
    // Of rules the nearest count first, of settings the nearest last.
    this.#around = [
      ...block.filter(isAccessRule),
      ...before,
      ...block.filter((one) => INHERITED.has(one.name) && !isAccessRule(one)),
    ];
    for (const inner of block) {
      if (inner.name === 'application') this.#application(inner, own);
      else if (inner.name === 'listen') this.#listen(inner);
      else if (INHERITED.has(inner.name)) continue;
      else this.#setting(inner);
    }
    this.#around = before;
    if (!block.some(({ name }) => name === 'application')) this.#addCallbacks(undefined, own);
  }

  #application(directive: Directive, inherited: Section): void {
    const [name = ''] = directive.args;
    if (!NAME.test(name)) {
      this.#lacks(directive, 'applications have 1 to 64 characters of A-Z a-z 0-9 _ -');
      return;
    }
    const own = directive.block ?? [];
    const block = [...this.#around, ...own];
    const rules = [...own, ...this.#around].filter(isAccessRule);
    const list = accessList(name, rules, (rule, why) => this.#lacks(rule, why));
    if (list !== undefined) this.#lists.push(list);
    this.#addCallbacks(name, this.#callbacksOf(block, inherited));
    const hls = flagOf(block, 'hls');
    if (hls === true) this.#hlsOf(name, block);
    for (const inner of block) {
      switch (inner.name) {
        case 'hls':
        case 'dash':
          if (inner.args[0] !== 'on')
            this.#lacks(inner, 'HLS and DASH are served for every stream or for none');
          break;
        case 'hls_fragment':
        case 'hls_playlist_length':
          if (hls !== true) this.#note(inner, 'needless', 'HLS is off here');
          break;
        case 'record':
          this.#record(inner);
          break;
        case 'allow':
        case 'deny':
          break;
        case 'pull':
          this.#pull(inner, name);
          break;
        case 'push':
          this.#push(inner, name);
          break;
        default:
          this.#setting(inner);
      }
    }
  }

  #setting(directive: Directive): void {
    const { name, args } = directive;
    if (Object.hasOwn(CALLBACKS, name) || name.startsWith('notify_') || name === 'netcall_timeout') {
      if (NEEDLESS.has(name)) this.#note(directive, 'needless', NEEDLESS.get(name)!);
      else if (LACKING.has(name)) this.#lacks(directive, LACKING.get(name)!);
      return;
    }
    switch (name) {
      case 'ping':
        this.#rtmp.pingSeconds = Math.max(1, Math.round(this.#time(directive) / 1000));
        return;
      case 'ack_window':
        this.#rtmp.windowAckBytes = this.#size(directive);
        return;
      case 'max_message':
        this.#rtmp.maxMessageBytes = Math.min(16_777_215, this.#size(directive));
        return;
      case 'max_connections':
        this.#rtmp.maxConnections = this.#size(directive);
        return;
      case 'hls_type':
        if (args[0] === 'live') return;
    }
    const needless = NEEDLESS.get(name);
    if (name === 'live' && args[0] !== 'on') this.#lacks(directive, 'every application takes live streams');
    else if (needless !== undefined) this.#note(directive, 'needless', needless);
    else this.#lacks(directive, LACKING.get(name) ?? 'not a directive of nginx-rtmp that is known here');
  }

  #listen(directive: Directive): void {
    const [place = '', ...rest] = directive.args;
    const match = /^(?:(\[[0-9a-fA-F:.]+\]|[^\s:]+):)?(\d{1,5})$/.exec(place);
    if (match === null) {
      this.#lacks(directive, 'RTMP is spoken on TCP ports');
      return;
    }
    for (const option of rest)
      if (option === 'proxy_protocol') this.#lacks(directive, 'the PROXY protocol is not spoken');
    const port = Number(match[2]);
    const host = match[1]?.replace(/^\[|\]$/g, '');
    if (this.#rtmp.port !== undefined && this.#rtmp.port !== port) {
      this.#lacks(directive, `there is one RTMP port, and that is ${this.#rtmp.port}`);
      return;
    }
    // A port without address, or one for each family, is every address.
    const every = host === undefined || host === '::' || host === '*' || host === '0.0.0.0';
    if (this.#rtmp.port === undefined && !every) this.#rtmp.host = host;
    else if (every) delete this.#rtmp.host;
    this.#rtmp.port = port;
  }

  #hlsOf(app: string, block: readonly Directive[]): void {
    const find = (name: string): Directive | undefined => block.findLast((one) => one.name === name);
    const [fragment, length] = [find('hls_fragment'), find('hls_playlist_length')];
    const fragmentMs = fragment === undefined ? HLS_FRAGMENT_MS : this.#time(fragment);
    const lengthMs = length === undefined ? HLS_PLAYLIST_MS : this.#time(length);
    const segmentMs = Math.min(60_000, Math.max(500, fragmentMs));
    const windowSegments = Math.min(1000, Math.max(3, Math.round(lengthMs / segmentMs)));
    this.#hls.push({ match: `${app}/*`, segmentMs, windowSegments });
  }

  #record(directive: Directive): void {
    const [what = 'off', ...more] = directive.args;
    if (what === 'off') return;
    if (what === 'all' && more.length === 1 && more[0] === 'manual') {
      this.#note(directive, 'needless', 'every stream can be recorded by `/control/record/start`');
      return;
    }
    if (what === 'all' && more.length === 0) {
      this.#recorded = true;
      this.#note(directive, 'needless', 'all streams are recorded, those of other applications too');
    } else this.#lacks(directive, 'streams are recorded whole or not at all, see `record.streams`');
  }

  /** Without a name every stream that somebody asks for, as of another server; without `static` on demand. */
  #pull(directive: Directive, app: string): void {
    const [address = '', ...params] = directive.args;
    const given = paramsOf(params);
    const name = given.get('name') ?? '*';
    const url = /^https?:|^rtmp\w+:/i.test(address)
      ? address
      : relayAddress(address, { app: given.get('app'), name: given.get('playPath') });
    if (url === undefined || (name !== '*' && !NAME.test(name))) {
      this.#lacks(directive, 'a pull needs a host, and a name of 1 to 64 characters of A-Z a-z 0-9 _ -');
      return;
    }
    const always = given.has('static');
    if (always && name === '*') {
      this.#lacks(
        directive,
        'pulls that are always on name their stream: `pulls: [{ stream: APP/NAME, url: … }]`',
      );
      return;
    }
    this.#pulls.push({ url, stream: `${app}/${name}`, ...(always ? {} : { onDemand: true }) });
    this.#leftOver(directive, given, 'pulls do not set it');
  }

  /** What the address leaves out, application and name, is that of the stream. */
  #push(directive: Directive, app: string): void {
    const [address = '', ...params] = directive.args;
    const given = paramsOf(params);
    const name = given.get('name') ?? '*';
    const url = relayAddress(address, { app: given.get('app'), name: given.get('playPath') });
    if (url === undefined || (name !== '*' && !NAME.test(name))) {
      this.#lacks(directive, 'a push needs a host, and a name of 1 to 64 characters of A-Z a-z 0-9 _ -');
      return;
    }
    this.#pushes.push({ stream: `${app}/${name}`, url });
    this.#leftOver(directive, given, 'pushes do not set it');
  }

  #leftOver(directive: Directive, given: ReadonlyMap<string, unknown>, why: string): void {
    for (const key of given.keys())
      if (!RELAY_PARAMS.has(key)) this.#note({ ...directive, args: [key] }, 'lacking', why);
  }

  #callbacksOf(block: readonly Directive[], inherited: Section): Section {
    const own: Section = { ...inherited };
    for (const directive of block) {
      const [value = ''] = directive.args;
      const key = CALLBACKS[directive.name];
      if (key !== undefined) own[key] = value;
      else if (directive.name === 'notify_method') own.method = value === 'get' ? 'get' : 'post';
      else if (directive.name === 'notify_update_timeout') own.updateMs = this.#time(directive);
      else if (directive.name === 'notify_update_strict') own.updateStrict = value === 'on';
      else if (directive.name === 'notify_send_redirect') own.redirects = value === 'on';
      else if (directive.name === 'netcall_timeout') own.timeoutMs = this.#time(directive);
    }
    return own;
  }

  #addCallbacks(app: string | undefined, callbacks: Section): void {
    if (!Object.keys(callbacks).some((key) => key.startsWith('on'))) return;
    const admits = callbacks.onPublish !== undefined ? { admits: true } : {};
    const asks = (callbacks.onPublish ?? callbacks.onPlay) !== undefined;
    const relays = asks && callbacks.redirects !== true ? { relays: true } : {};
    this.#callbacks.push({ ...(app === undefined ? {} : { app }), ...callbacks, ...admits, ...relays });
  }

  #inHttp(directive: Directive): void {
    if (directive.name !== 'server') {
      if (directive.name === 'include') this.#lacks(directive, 'included files are not read');
      return;
    }
    for (const inner of directive.block ?? []) {
      if (inner.name === 'listen') {
        const port = /(?:^|:)(\d{1,5})$/.exec(inner.args[0] ?? '')?.[1];
        if (port !== undefined && this.#http.port === undefined) this.#http.port = Number(port);
      } else if (inner.name === 'location') this.#location(inner);
    }
  }

  #location(directive: Directive): void {
    const path = directive.args.at(-1) ?? '';
    for (const { name } of directive.block ?? []) {
      const key = name === 'rtmp_stat' ? 'stat' : name === 'rtmp_control' ? 'control' : undefined;
      if (key === undefined) continue;
      if (/^\/[A-Za-z0-9_-]{1,64}\/?$/.test(path)) this.#nginx[key] = path.replace(/\/$/, '');
      else this.#lacks(directive, 'the address has one part of A-Z a-z 0-9 _ -');
    }
  }

  #time(directive: Directive): number {
    const match = /^(\d{1,9})(ms|s|m|h|d)?$/.exec(directive.args[0] ?? '');
    if (match === null) throw new ConfError(directive.line, `\`${directive.name}\` needs a time`);
    const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] ?? 's']!;
    return Number(match[1]) * unit;
  }

  #size(directive: Directive): number {
    const match = /^(\d{1,12})([kKmM])?$/.exec(directive.args[0] ?? '');
    if (match === null) throw new ConfError(directive.line, `\`${directive.name}\` needs a number`);
    return Number(match[1]) * (match[2] === undefined ? 1 : /k/i.test(match[2]) ? 1024 : 1_048_576);
  }

  #lacks(directive: Directive, why: string): void {
    this.#note(directive, 'lacking', why);
  }

  #note({ name, args, line }: Directive, kind: Remark['kind'], why: string): void {
    this.#remarks.push({ line, directive: [name, ...args].join(' ').slice(0, 120), kind, why });
  }
}

/** `KEY=VALUE`, or `KEY` alone. */
function paramsOf(params: readonly string[]): ReadonlyMap<string, string | undefined> {
  return new Map(
    params.map((one): [string, string | undefined] => {
      const [key = '', value] = one.split('=', 2);
      return [key, value];
    }),
  );
}

function flagOf(block: readonly Directive[], name: string): boolean | undefined {
  const found = block.findLast((directive) => directive.name === name);
  return found === undefined ? undefined : found.args[0] === 'on';
}
