import { GraphQLError, isIntrospectionType, type ValidationRule } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/** Tells nothing of the schema that a document would not be told anyway: whether there is a type of some name. */
const rule: ValidationRule = (context) => ({
  Field(node) {
    const name = node.name.value;
    const parent = context.getParentType();
    const isOfSchema = name === '__schema' || (parent && isIntrospectionType(parent) && !harmless.has(name));
    if (!isOfSchema) return undefined;
    const message = `Introspection is off: ${name} cannot be asked for.`;
    context.reportError(new GraphQLError(message, { nodes: node }));
    // What is below need not be told as well.
    return false;
  },
});

const harmless: ReadonlySet<string> = new Set(['name', '__typename']);

export const refuseIntrospection: Plugin = {
  onValidate({ addValidationRule }) {
    addValidationRule(rule);
  },
};
