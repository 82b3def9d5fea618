import type { DirectiveNode, ExecutionArgs, GraphQLError, ValueNode } from 'graphql';
import { isInterfaceType, isObjectType } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { defaultPageSize, maxPageSize } from './connections.js';
import { isListOfObjects, limits, refusal } from './limits.js';
import {
  defaultsOf,
  givenValue,
  isLeftOut,
  PerOperation,
  type Selected,
  selectedIn,
  type Variables,
} from './selections.js';

/** What a list without pages counts for: most have few items, and the size of an answer is limited as well. */
const itemsOfList = 3;

/** Refuses what asks for too many items before anything of it is done. Judges with the variables known. */
export const limitItems: Plugin = {
  onExecute({ args, setResultAndStopExecution }) {
    const refused = refusedItems(args);
    if (refused) setResultAndStopExecution({ errors: [refused] });
  },
  onSubscribe({ args, setResultAndStopExecution }) {
    const refused = refusedItems(args);
    if (refused) setResultAndStopExecution({ errors: [refused] });
  },
};

function refusedItems(args: ExecutionArgs): GraphQLError | undefined {
  const lists = listsOf.of(args);
  const count = lists ? countItems(lists.places, { ...lists.defaults, ...args.variableValues }) : 0;
  if (count <= limits.items) return undefined;
  const message = `The operation asks for up to ${count} items; at most ${limits.items} are allowed: ask for smaller pages.`;
  return refusal('items', message);
}

const listsOf = new PerOperation((operation, document, schema) => ({
  places: selectedIn(schema, document, operation).flatMap(placesOf),
  defaults: defaultsOf(operation),
}));

/** A place in an operation where lists are asked for, or where a condition stands above such. */
type Place = {
  kind: 'page' | 'list' | 'condition';
  conditions: readonly DirectiveNode[];
  /** The arguments that say how long a page is. */
  sizes: readonly ValueNode[];
  below: readonly Place[];
};

function placesOf({ parent, field, node, conditions, below }: Selected): readonly Place[] {
  const inner = below.flatMap(placesOf);
  const isPaged = field.args.some(({ name }) => name === 'first');
  // The items of a page are counted by its size.
  const isOfPage = (isObjectType(parent) || isInterfaceType(parent)) && 'pageInfo' in parent.getFields();
  if (isPaged || (isListOfObjects(field) && !isOfPage)) {
    const sizes = (node.arguments ?? []).filter(({ name }) => ['first', 'last'].includes(name.value));
    const kind = isPaged ? 'page' : 'list';
    return [{ kind, conditions, sizes: sizes.map(({ value }) => value), below: inner }];
  }
  if (conditions.length === 0 || inner.length === 0) return inner;
  return [{ kind: 'condition', conditions, sizes: [], below: inner }];
}

function countItems(places: readonly Place[], variables: Variables): number {
  return places.reduce((sum, place) => sum + itemsOf(place, variables), 0);
}

function itemsOf({ kind, conditions, sizes, below }: Place, variables: Variables): number {
  if (isLeftOut(conditions, variables)) return 0;
  const items = countItems(below, variables);
  if (kind === 'condition') return items;
  return (kind === 'list' ? itemsOfList : pageSize(sizes, variables)) * (1 + items);
}

/** What is no size of a page is refused by the list itself. */
function pageSize(sizes: readonly ValueNode[], variables: Variables): number {
  const given = sizes.map((size) => Number(givenValue(size, variables) ?? 0)).find((size) => size > 0);
  return Math.min(given ?? defaultPageSize, maxPageSize);
}
