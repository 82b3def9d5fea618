import fc, { type Arbitrary } from 'fast-check';
import { hostileJson, hostileText } from './values.js';

type Entry = readonly [key: string, tree: Tree];

/** A JSON text by its parts, which may be none: keys twice, leaves that are no JSON. */
export type Tree = { leaf: string } | { kind: 'object' | 'array'; entries: readonly Entry[] };

export function treeOf(value: unknown): Tree {
  if (typeof value !== 'object' || value === null) return { leaf: JSON.stringify(value) ?? 'null' };
  const entries = Object.entries(value).map(([key, member]) => [key, treeOf(member)] as const);
  return { kind: Array.isArray(value) ? 'array' : 'object', entries };
}

export function textOf(tree: Tree): string {
  if ('leaf' in tree) return tree.leaf;
  const texts = tree.entries.map(([key, member]) => [JSON.stringify(key), textOf(member)] as const);
  return tree.kind === 'array'
    ? `[${texts.map(([, text]) => text).join()}]`
    : `{${texts.map((text) => text.join(':')).join()}}`;
}

/** The node it is done to counts from the root on. */
export type Mutation = { kind: keyof typeof acts; at: number; key: string; leaf: string };

const acts = {
  replace: ([key]: Entry, { leaf }: Mutation): Entry[] => [[key, { leaf }]],
  remove: (): Entry[] => [],
  repeat: (entry: Entry): Entry[] => [entry, entry],
  wrap: ([key, tree]: Entry): Entry[] => [[key, { kind: 'array', entries: [['', tree]] }]],
  nest: ([key, tree]: Entry, { key: name }: Mutation): Entry[] => [
    [key, { kind: 'object', entries: [[name, tree]] }],
  ],
  rename: ([, tree]: Entry, { key }: Mutation): Entry[] => [[key, tree]],
  add: ([key, tree]: Entry, { key: name, leaf }: Mutation): Entry[] => {
    if ('leaf' in tree) return [[key, { leaf }]];
    return [[key, { ...tree, entries: [...tree.entries, [name, { leaf }]] }]];
  },
};

export function mutate(tree: Tree, mutation: Mutation): Tree {
  const [changed] = change(['', tree], mutation.at % sizeOf(tree), mutation);
  return changed?.[1] ?? { leaf: '' };
}

function change(entry: Entry, place: number, mutation: Mutation): Entry[] {
  const [key, tree] = entry;
  if (place === 0) return acts[mutation.kind](entry, mutation);
  if ('leaf' in tree) return [entry];
  let left = place - 1;
  const entries = tree.entries.flatMap((member) => {
    const at = left;
    left -= sizeOf(member[1]);
    return at >= 0 && left < 0 ? change(member, at, mutation) : [member];
  });
  return [[key, { ...tree, entries }]];
}

function sizeOf(tree: Tree): number {
  return 'leaf' in tree ? 1 : tree.entries.reduce((sum, [, member]) => sum + sizeOf(member), 1);
}

/** @param keys those that mean something there */
export function mutations(keys: readonly string[]): Arbitrary<Mutation[]> {
  const kind = fc.constantFrom<Mutation['kind']>(
    ...([
      'add',
      'add',
      'add',
      'replace',
      'replace',
      'replace',
      'remove',
      'repeat',
      'wrap',
      'nest',
      'rename',
    ] as const),
  );
  const key = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...keys) },
    { weight: 1, arbitrary: hostileText },
  );
  const mutation = fc.record({ kind, at: fc.nat(30), key, leaf: hostileJson });
  return fc.array(mutation, { maxLength: 3, size: 'max' });
}
