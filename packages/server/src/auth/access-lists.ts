import { BlockList, isIP } from 'node:net';
import type { Config } from '../config/index.ts';

/** The lists of the configuration. */
export type AccessLists = Config['auth']['lists'];

/** Somebody who wants to publish or play. */
export interface Comer {
  readonly app: string;
  /** Remote address without port. */
  readonly address: string;
  /** True if the peer came through a proxy that is not trusted, so that its address is unknown. */
  readonly forwarded?: boolean | undefined;
}

/** What the lists say: the first rule that fits decides; `open` where none does. */
export type Verdict = 'allow' | 'deny' | 'open';

interface Rule {
  readonly allows: boolean;
  /** Undefined fits everybody. */
  readonly range: BlockList | undefined;
}

/** Stands for the address of a peer that came through a proxy which is not trusted. */
const UNKNOWN = '0.0.0.0';

/** Rules as they are looked through, by the text that they were made of. */
const compiled = new WeakMap<readonly string[], readonly Rule[]>();

/** Says by the first list that fits the application whether somebody may publish or play. */
export function verdictOf(lists: AccessLists, what: 'publish' | 'play', comer: Comer): Verdict {
  for (const { app, [what]: texts } of lists) {
    if (app !== undefined && app !== comer.app) continue;
    return decide(rulesOf(texts), comer);
  }
  return 'open';
}

/** True if whoever the lists let publish there needs no stream key. */
export function isAdmitted(lists: AccessLists, comer: Comer): boolean {
  const list = lists.find(({ app }) => app === undefined || app === comer.app);
  return list?.admits === true && verdictOf(lists, 'publish', comer) === 'allow';
}

function decide(rules: readonly Rule[], { address, forwarded }: Comer): Verdict {
  const family = isIP(address);
  // Through a proxy nobody trusts one may come from anywhere: no rule for an address lets such a peer in.
  const unknown = family === 0 || address === UNKNOWN;
  for (const { allows, range } of rules) {
    const within = range?.check(address, family === 6 ? 'ipv6' : 'ipv4') === true;
    const fits = unknown || (allows && forwarded === true) ? !allows : within;
    if (range === undefined || fits) return allows ? 'allow' : 'deny';
  }
  return 'open';
}

function rulesOf(texts: readonly string[]): readonly Rule[] {
  let rules = compiled.get(texts);
  if (rules === undefined) {
    rules = texts.map(ruleOf);
    compiled.set(texts, rules);
  }
  return rules;
}

function ruleOf(text: string): Rule {
  const [deed, place = 'all'] = text.split(' ');
  const allows = deed === 'allow';
  if (place === 'all') return { allows, range: undefined };
  const [address = '', bits] = place.split('/');
  const range = new BlockList();
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (bits === undefined) range.addAddress(address, family);
  else range.addSubnet(address, Number(bits), family);
  return { allows, range };
}
