import { type Faults, integer, nullable, type Rule } from '../domain/rules.js';
import type { Fault } from '../errors.js';

export const defaultPageSize = 20;
export const maxPageSize = 500;

export type PageArgs = {
  first?: number | null | undefined;
  last?: number | null | undefined;
  after?: string | null | undefined;
  before?: string | null | undefined;
};

/** One page of a list that is ordered by its cursors. */
export type Page<Cursor> = {
  size: number;
  after?: Cursor | undefined;
  before?: Cursor | undefined;
  /** The page is counted from the end, and its items come in reversed order. */
  isReversed: boolean;
};

/** Reads the arguments of a connection. What is wrong with them goes to `faults`. */
export function readPage<Cursor>(args: PageArgs, cursor: Rule<Cursor>, faults: Faults): Page<Cursor> {
  const size = nullable(integer(1, maxPageSize));
  const first = faults.check(size, ['first'], args.first) ?? undefined;
  const last = faults.check(size, ['last'], args.last) ?? undefined;
  if (first !== undefined && last !== undefined) faults.add(['last'], notWithFirst);
  const after = faults.check(nullable(cursor), ['after'], args.after) ?? undefined;
  const before = faults.check(nullable(cursor), ['before'], args.before) ?? undefined;
  const isReversed =
    first === undefined && (last !== undefined || (before !== undefined && after === undefined));
  return { size: first ?? last ?? defaultPageSize, after, before, isReversed };
}

const notWithFirst: Omit<Fault, 'path'> = { message: 'must not be given together with first' };

export type Connection<Node> = {
  edges: { cursor: string; node: Node }[];
  pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
};

/** Few ask for the cursors of all. */
class Edge<Node> {
  readonly node: Node;
  readonly #cursorOf: (node: Node) => string;

  constructor(node: Node, cursorOf: (node: Node) => string) {
    this.node = node;
    this.#cursorOf = cursorOf;
  }

  get cursor(): string {
    return this.#cursorOf(this.node);
  }
}

/** @param nodes in the order of the page, with one more than its size where there are more */
export function toConnection<Node, Cursor>(
  nodes: readonly Node[],
  page: Page<Cursor>,
  cursorOf: (node: Node) => string,
): Connection<Node> {
  const kept = nodes.slice(0, page.size);
  if (page.isReversed) kept.reverse();
  const edges = kept.map((node) => new Edge(node, cursorOf));
  const hasMore = nodes.length > page.size;
  return {
    edges,
    pageInfo: {
      hasNextPage: page.isReversed ? page.before !== undefined : hasMore,
      hasPreviousPage: page.isReversed ? hasMore : page.after !== undefined,
      get startCursor() {
        return edges.at(0)?.cursor ?? null;
      },
      get endCursor() {
        return edges.at(-1)?.cursor ?? null;
      },
    },
  };
}
