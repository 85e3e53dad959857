import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HandOnTree } from './hand-on-tree.ts';

describe('the tree of those who hand on', () => {
  it('fills places near the talker first, never below itself, and not too deep', () => {
    const tree = new HandOnTree();
    expect(tree.placeFor('a', 2)).toBeUndefined();
    tree.set('a', undefined, false);
    expect(tree.placeFor('b', 2)).toBeUndefined();
    tree.arrived('a', true);
    expect([tree.placeFor('b', 0), tree.placeFor('a', 2)]).toEqual([undefined, undefined]);
    for (const id of ['b', 'c', 'd', 'e', 'f', 'g']) tree.set(id, tree.placeFor(id, 2), true);
    expect(['b', 'c', 'd', 'e', 'f', 'g'].map((id) => tree.parentOf(id))).toEqual([
      'a',
      'a',
      'b',
      'b',
      'c',
      'c',
    ]);
    expect(tree.handedOn).toBe(6);
    // b asks anew: d and e hang on it; there is no place for all three levels but below a.
    tree.set('b', undefined, true);
    expect(tree.placeFor('b', 2)).toBe('a');
    tree.remove('a');
    // c hangs on nobody and can take nobody.
    expect(tree.placeFor('h', 2)).toBe('d');
  });

  it('is never a ring, whoever leaves and asks again', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(11), fc.nat(3)), { maxLength: 120 }), (steps) => {
        const tree = new HandOnTree();
        for (const [n, what] of steps) {
          const id = `m${n}`;
          if (what === 0) tree.remove(id);
          else tree.set(id, what === 1 ? undefined : tree.placeFor(id, 2), true);
          let [at, hops]: [string | undefined, number] = [id, 0];
          for (; at !== undefined; at = tree.parentOf(at)) expect(++hops).toBeLessThan(6);
        }
      }),
    );
  });
});
