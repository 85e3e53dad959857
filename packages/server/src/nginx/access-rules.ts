import { isAddressRange } from '../config/index.ts';
import type { Directive } from './conf.ts';

/** True for `allow` and `deny`. */
export function isAccessRule({ name }: Directive): boolean {
  return name === 'allow' || name === 'deny';
}

/**
 * An entry of `auth.lists`; undefined without rules. Whoever may publish by them needs no stream key, as there.
 * @param rules in the order in which they are asked. @param lacks told of those that are none
 */
export function accessList(
  app: string,
  rules: readonly Directive[],
  lacks: (rule: Directive, why: string) => void,
): Record<string, unknown> | undefined {
  const lists: { publish: string[]; play: string[] } = { publish: [], play: [] };
  for (const rule of rules) {
    const { name, args } = rule;
    const [what, place = what] = args;
    const one = what === 'publish' || what === 'play' ? what : undefined;
    const fits = place === 'all' || (place !== undefined && isAddressRange(place));
    if (!fits || args.length !== (one === undefined ? 1 : 2)) {
      lacks(rule, 'a list names `all`, addresses and ranges such as 10.0.0.0/8');
      continue;
    }
    for (const list of one === undefined ? [lists.publish, lists.play] : [lists[one]])
      list.push(`${name} ${place}`);
  }
  const { publish, play } = lists;
  if (publish.length === 0 && play.length === 0) return undefined;
  return {
    app,
    ...(publish.length > 0 ? { publish } : {}),
    ...(play.length > 0 ? { play } : {}),
    ...(publish.some((rule) => rule.startsWith('allow')) ? { admits: true } : {}),
  };
}
