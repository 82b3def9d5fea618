declare const types: unique symbol;

/** The text of one GraphQL operation that knows what it takes and what it answers. */
export type TypedDocument<Result, Variables> = string & {
  /** Never there: it lets the compiler tell documents apart. */
  readonly [types]?: (variables: Variables) => Result;
};
