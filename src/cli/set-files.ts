import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type AppliedSet, type AttributeSet, readAttributeSet } from '../domain/attribute-sets.js';
import { formatPath, Invalid, OperatorError } from '../errors.js';
import { decodeUtf8, parseJson } from '../json.js';

/**
 * All business attributes of a tenant, from a JSON file or from standard input.
 * @throws OperatorError, listing every fault
 */
export async function readSetFile(file: string, stdin: Readable): Promise<AttributeSet> {
  const bytes = await (file === '-' ? buffer(stdin) : readFile(file)).catch((error: unknown) => {
    throw new OperatorError(`${file} cannot be read: ${Reflect.get(Object(error), 'code')}`);
  });
  try {
    return readAttributeSet(parseJson(decodeUtf8(bytes)));
  } catch (error) {
    throw error instanceof Invalid ? new OperatorError(lines(file, error)) : error;
  }
}

function lines(file: string, { faults, omitted }: Invalid): string {
  const name = file === '-' ? 'standard input' : file;
  return [
    `${name} is not applied:`,
    ...faults.map(({ path, message }) => `  ${[formatPath(path), message].filter(Boolean).join(': ')}`),
    ...(omitted > 0 ? [`  and ${omitted} more`] : []),
  ].join('\n');
}

/** What was done, a line each. */
export function linesOf({ defined, removed, mapped, unmapped, mapNames }: AppliedSet): string[] {
  const acts = [
    ...lineOf('defined', defined, 'business attribute'),
    ...lineOf('removed', removed, 'business attribute'),
    ...lineOf('mapped', mapped, 'field'),
    ...lineOf('unmapped', unmapped, 'field'),
    ...(mapNames === undefined ? [] : [`mapped fields are answered as ${mapNames ? 'names' : 'dbids'} now`]),
  ];
  return acts.length > 0 ? acts : ['nothing to do: all is as the file says'];
}

/** `defined 2 business attributes: MediaType, OrderType` */
function lineOf(act: string, names: readonly string[], noun: string): string[] {
  const { length } = names;
  return length === 0 ? [] : [`${act} ${length} ${noun}${length === 1 ? '' : 's'}: ${names.join(', ')}`];
}
