import { type Change, ChangeType, CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema } from 'graphql';
import { declaredBreaks } from './changelog.js';

export type Comparison = {
  /** The schema of the last release, as text. */
  released: string;
  /** The schema as it now is. */
  present: string;
  changelog: string;
};

/** Every change that may break a caller and that the change log does not declare, as `path: what happened`. */
export async function undeclaredBreaks({ released, present, changelog }: Comparison): Promise<string[]> {
  const changes = await diff(buildSchema(released), buildSchema(present));
  const declared = declaredBreaks(changelog);
  return changes
    .filter((change) => isBreaking(change) && !declared.some((name) => isAt(change, name)))
    .map(({ path, message }) => `${path}: ${message}`);
}

/** The library only warns of these: whoever leaves a value out gets another one than before. */
const alsoBreaking: readonly string[] = [
  ChangeType.FieldArgumentDefaultChanged,
  ChangeType.InputFieldDefaultValueChanged,
];

function isBreaking({ type, path, criticality }: Change): boolean {
  const hasBecomeOneOf = type === ChangeType.DirectiveUsageInputObjectAdded && path?.endsWith('.@oneOf');
  return (
    criticality.level === CriticalityLevel.Breaking || alsoBreaking.includes(type) || Boolean(hasBecomeOneOf)
  );
}

/** Who declares a type or a field declares all that is below it. */
function isAt({ path = '' }: Change, name: string): boolean {
  return path === name || path.startsWith(`${name}.`);
}
