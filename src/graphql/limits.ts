import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  Lexer,
  SchemaMetaFieldDef,
  type SelectionNode,
  type SelectionSetNode,
  Source,
  TypeMetaFieldDef,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { limitExceeded } from './failures.js';

/**
 * How large an operation may be, with its fragments at every place where they are spread. What can be asked of
 * the data is at most 10 deep; a client that reads the schema goes down to 15.
 */
export const limits = {
  /** Of the whole document. */
  tokens: 1_000,
  depth: 15,
  fields: 400,
  aliases: 15,
  directives: 5,
  /** Fields that answer a list of objects: each may take a statement of its own, and they multiply. */
  lists: 30,
  /** Of one WebSocket, at the same time. */
  subscriptions: 100,
  /** What the pages may hold, times what may be below each item: a whole screen of 500 services passes. */
  items: 500_000,
} as const;

type Limit = keyof typeof limits;
type Size = Record<Exclude<Limit, 'tokens' | 'items' | 'subscriptions'>, number>;

/** Refuses documents that are too large before anything else is done with them; it judges by the document alone. */
export const limitDocuments: Plugin = {
  onParse({ params: { source }, parseFn, setParseFn }) {
    setParseFn((text, options) => parseFn(text, { ...options, maxTokens: limits.tokens }));
    return ({ result, replaceParseResult }) => {
      if (!(result instanceof Error) || !hasTooManyTokens(String(source))) return;
      const message = `The document has more than ${limits.tokens} tokens, the most that is allowed.`;
      replaceParseResult(refusal('tokens', message));
    };
  },
  onValidate({ params: { schema, documentAST }, setResult }) {
    const faults = sizesOf(schema, documentAST).flatMap(faultsOf);
    if (faults.length > 0) setResult(faults);
  },
};

export function refusal(limit: Limit, message: string): GraphQLError {
  const extensions = { code: limitExceeded, limit, allowed: limits[limit] };
  return new GraphQLError(message, { extensions });
}

/** Asked of what could not be parsed, for this reason or another. */
function hasTooManyTokens(text: string): boolean {
  const lexer = new Lexer(new Source(text));
  try {
    for (let count = 0; count <= limits.tokens; count++) {
      if (lexer.advance().kind === '<EOF>') return false;
    }
    return true;
  } catch {
    return false;
  }
}

const found: Readonly<Record<keyof Size, (count: number) => string>> = {
  depth: (count) => `is ${count} fields deep`,
  fields: (count) => `has ${count} fields`,
  aliases: (count) => `has ${count} aliases`,
  directives: (count) => `has ${count} directives`,
  lists: (count) => `has ${count} lists of objects`,
};

function faultsOf(size: Size): GraphQLError[] {
  // Made of just these.
  const exceeded = (Object.keys(found) as (keyof Size)[]).filter((limit) => size[limit] > limits[limit]);
  return exceeded.map((limit) =>
    refusal(limit, `The operation ${found[limit](size[limit])}; at most ${limits[limit]} are allowed.`),
  );
}

/** Of each operation. The document need not be valid. */
function sizesOf(schema: GraphQLSchema, { definitions }: DocumentNode): Size[] {
  const measure = new Measure(
    schema,
    definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION),
  );
  return definitions
    .filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
    .map(({ operation, selectionSet, directives, variableDefinitions = [] }) =>
      sum([
        measure.ofSelections(selectionSet, schema.getRootType(operation) ?? undefined),
        marks({ directives }),
        ...variableDefinitions.map(marks),
      ]),
    );
}

const nothing: Size = { depth: 0, fields: 0, aliases: 0, directives: 0, lists: 0 };

function sum(sizes: readonly Size[]): Size {
  return sizes.reduce(
    (total, size) => ({
      depth: Math.max(total.depth, size.depth),
      fields: total.fields + size.fields,
      aliases: total.aliases + size.aliases,
      directives: total.directives + size.directives,
      lists: total.lists + size.lists,
    }),
    nothing,
  );
}

function marks({ directives = [] }: { directives?: readonly unknown[] | undefined }): Size {
  return { ...nothing, directives: directives.length };
}

class Measure {
  readonly #schema: GraphQLSchema;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Once for each fragment: spread in one another they would be walked through without end. */
  readonly #measured = new Map<string, Size>();

  constructor(schema: GraphQLSchema, fragments: readonly FragmentDefinitionNode[]) {
    this.#schema = schema;
    this.#fragments = new Map(fragments.map((fragment) => [fragment.name.value, fragment]));
  }

  ofSelections(
    { selections }: SelectionSetNode = { kind: Kind.SELECTION_SET, selections: [] },
    parent: GraphQLNamedType | undefined,
  ): Size {
    return sum(selections.map((selection) => sum([marks(selection), this.#ofSelection(selection, parent)])));
  }

  #ofSelection(selection: SelectionNode, parent: GraphQLNamedType | undefined): Size {
    switch (selection.kind) {
      case Kind.INLINE_FRAGMENT: {
        const { typeCondition, selectionSet } = selection;
        const type = typeCondition ? this.#schema.getType(typeCondition.name.value) : parent;
        return this.ofSelections(selectionSet, type);
      }
      case Kind.FRAGMENT_SPREAD:
        return this.#ofFragment(selection.name.value);
      case Kind.FIELD: {
        const field = fieldOf(this.#schema, parent, selection.name.value);
        const below = this.ofSelections(selection.selectionSet, field && getNamedType(field.type));
        const own = {
          fields: 1,
          aliases: selection.alias ? 1 : 0,
          lists: field && isListOfObjects(field) ? 1 : 0,
        };
        return { ...sum([below, { ...nothing, ...own }]), depth: below.depth + 1 };
      }
    }
  }

  #ofFragment(name: string): Size {
    const fragment = this.#fragments.get(name);
    const known = this.#measured.get(name);
    if (known || !fragment) return known ?? nothing;
    // What spreads itself is refused later on, whatever its size.
    this.#measured.set(name, nothing);
    const type = this.#schema.getType(fragment.typeCondition.name.value);
    const size = sum([marks(fragment), this.ofSelections(fragment.selectionSet, type)]);
    this.#measured.set(name, size);
    return size;
  }
}

type Field = GraphQLField<unknown, unknown>;

function fieldOf(
  schema: GraphQLSchema,
  parent: GraphQLNamedType | undefined,
  name: string,
): Field | undefined {
  if (parent && parent === schema.getQueryType()) {
    const meta = [SchemaMetaFieldDef, TypeMetaFieldDef].find((field) => field.name === name);
    if (meta) return meta;
  }
  return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
}

export function isListOfObjects({ type }: Field): boolean {
  return isListType(getNullableType(type)) && isCompositeType(getNamedType(type));
}
