import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getOperationAST,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  type ValueNode,
  valueFromASTUntyped,
} from 'graphql';

export type Variables = Readonly<Record<string, unknown>>;

/** A field of an operation, whichever fragments it stands in. */
export type Selected = {
  parent: GraphQLNamedType;
  field: GraphQLField<unknown, unknown>;
  node: FieldNode;
  /** Its own directives and those of the fragments around it. */
  conditions: readonly DirectiveNode[];
  below: readonly Selected[];
};

/** The fields of an operation of a valid document: limited, with fragments at all places where they are spread. */
export function selectedIn(
  schema: GraphQLSchema,
  { definitions }: DocumentNode,
  { operation, selectionSet }: OperationDefinitionNode,
): readonly Selected[] {
  const fragments = definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION);
  return below({ schema, fragments }, selectionSet, schema.getRootType(operation) ?? undefined);
}

type Known = { schema: GraphQLSchema; fragments: readonly FragmentDefinitionNode[] };

function below(
  known: Known,
  set: SelectionSetNode | undefined,
  parent: GraphQLNamedType | undefined,
): readonly Selected[] {
  return (set?.selections ?? []).flatMap((selection) => {
    const fields = at(known, selection, parent);
    const { directives = [] } = selection;
    if (directives.length === 0) return fields;
    return fields.map((field) => ({ ...field, conditions: [...directives, ...field.conditions] }));
  });
}

function at(
  known: Known,
  selection: SelectionNode,
  parent: GraphQLNamedType | undefined,
): readonly Selected[] {
  if (selection.kind === Kind.FIELD) return ofField(known, selection, parent);
  const fragment =
    selection.kind === Kind.INLINE_FRAGMENT
      ? selection
      : known.fragments.find(({ name }) => name.value === selection.name.value);
  const condition = fragment?.typeCondition;
  return below(
    known,
    fragment?.selectionSet,
    condition ? known.schema.getType(condition.name.value) : parent,
  );
}

/** None of what GraphQL itself has for all schemas. */
function ofField(known: Known, node: FieldNode, parent: GraphQLNamedType | undefined): readonly Selected[] {
  if (!isObjectType(parent) && !isInterfaceType(parent)) return [];
  const field = parent.getFields()[node.name.value];
  if (!field) return [];
  const inner = below(known, node.selectionSet, getNamedType(field.type));
  return [{ parent, field, node, conditions: [], below: inner }];
}

/** Whether one of them says that what stands below is not asked for. */
export function isLeftOut(conditions: readonly DirectiveNode[], variables: Variables): boolean {
  return conditions.some(({ name, arguments: [given] = [] }) => {
    const value = given && givenValue(given.value, variables);
    return (name.value === 'skip' && value === true) || (name.value === 'include' && value === false);
  });
}

/** Of what is no list or object: as JSON has it, or a number as it is written. */
export function givenValue(node: ValueNode, variables: Variables): unknown {
  if (node.kind === Kind.VARIABLE) return variables[node.name.value];
  return 'value' in node ? node.value : undefined;
}

/** The values that variables have where none are given. */
export function defaultsOf({ variableDefinitions = [] }: OperationDefinitionNode): Variables {
  return Object.fromEntries(
    variableDefinitions.flatMap(({ variable, defaultValue }) =>
      defaultValue ? [[variable.name.value, valueFromASTUntyped(defaultValue)]] : [],
    ),
  );
}

/** What is found out once about each operation, kept with its document, which most often is asked again. */
export class PerOperation<Found> {
  readonly #found = new WeakMap<DocumentNode, Map<string, Found>>();
  readonly #find: (
    operation: OperationDefinitionNode,
    document: DocumentNode,
    schema: GraphQLSchema,
  ) => Found;

  constructor(
    find: (operation: OperationDefinitionNode, document: DocumentNode, schema: GraphQLSchema) => Found,
  ) {
    this.#find = find;
  }

  /** Undefined where there is no such operation, which is told by what executes it. */
  of({ schema, document, operationName }: Asked): Found | undefined {
    const known = this.#found.get(document) ?? new Map<string, Found>();
    this.#found.set(document, known);
    const found = known.get(operationName ?? '');
    if (found !== undefined) return found;
    const operation = getOperationAST(document, operationName);
    if (!operation) return undefined;
    const made = this.#find(operation, document, schema);
    known.set(operationName ?? '', made);
    return made;
  }
}

type Asked = {
  schema: GraphQLSchema;
  document: DocumentNode;
  operationName?: string | null | undefined;
};
