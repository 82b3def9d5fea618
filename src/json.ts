import { isUtf8 } from 'node:buffer';
import { LosslessNumber, parse as parseLossless } from 'lossless-json';
import { type Fault, Invalid, type Path } from './errors.js';

/** A body that cannot be taken as it is; its faults' paths are those of the body. */
export class MalformedBody extends Invalid {}

const deepestBody = 100;

/** @throws MalformedBody for bytes that are no UTF-8: a decoder would put U+FFFD in their place */
export function decodeUtf8(bytes: Buffer | string): string {
  if (typeof bytes === 'string') return bytes;
  if (!isUtf8(bytes)) throw malformed('must be UTF-8');
  // A byte order mark is no part of the text.
  return bytes.toString('utf8').replace(/^\uFEFF/, '');
}

/**
 * Parses a JSON text and refuses what JavaScript would change in silence: an integer beyond
 * ±(2^53−1), a number beyond the range of a double, and a key that an object has twice.
 * @throws MalformedBody with the path of every fault
 */
export function parseJson(text: string): unknown {
  return parse(text, problemOf);
}

/**
 * The same for what PostgreSQL wrote: a number that came as `1e21` has all its digits there, and is taken
 * where it is still the same number.
 * @throws MalformedBody with the path of every fault
 */
export function parseStoredJson(text: string): unknown {
  return parse(text, (literal) => (hasAllDigits(literal) ? undefined : problemOf(literal)));
}

/** Why a number cannot be taken as it is written. */
type Problem = (literal: string) => string | undefined;

function parse(text: string, problem: Problem): unknown {
  const value = parseSyntax(text);
  const faults = [
    ...(mayHoldDuplicateKey(text, value) ? duplicateKeys(text) : []),
    ...(mayHoldUnsafeNumber(text) ? unsafeNumbers(parseLossless(text, undefined, keepLast), problem) : []),
  ];
  if (faults.length > 0) throw new MalformedBody(faults);
  return value;
}

/** Those are told already, and those of equal values too. */
const keepLast = { onDuplicateKey: ({ newValue }: { newValue: unknown }) => newValue };

/** Of a text that is JSON: what stands outside its strings tells where objects begin and end. */
function duplicateKeys(text: string): Fault[] {
  const faults: Fault[] = [];
  const objects: Set<string>[] = [];
  for (const [token, key] of text.matchAll(/("[^"\\]*(?:\\.[^"\\]*)*")\s*:|"[^"\\]*(?:\\.[^"\\]*)*"|[{}]/g)) {
    if (token === '{') objects.push(new Set());
    else if (token === '}') objects.pop();
    else if (key !== undefined) addKey(JSON.parse(key), objects.at(-1), faults);
  }
  return faults;
}

function addKey(key: string, object: Set<string> | undefined, faults: Fault[]): void {
  if (object?.has(key)) faults.push({ path: [key], message: 'is given twice in one object' });
  object?.add(key);
}

function parseSyntax(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // The parser's own message quotes the text.
    const place = /at position \d+/.exec(String(error))?.[0];
    throw malformed(place ? `must be JSON, is not ${place}` : 'must be JSON');
  }
  if (isDeeperThan(deepestBody, value))
    throw malformed(`must not be nested deeper than ${deepestBody} levels`);
  return value;
}

function malformed(message: string): MalformedBody {
  return new MalformedBody([{ path: ['body'], message }]);
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  for (const member of Object.values(value)) {
    if (levels === 0 || isDeeperThan(levels - 1, member)) return true;
  }
  return false;
}

/** Most texts have no number of 16 digits and no exponent of 3, and need no second look. */
function mayHoldUnsafeNumber(text: string): boolean {
  return /\d{16}|\d[eE]\+?\d{3}/.test(text);
}

/** A text has as many keys as the value that came of it; a string with `":` in it only costs a second look. */
function mayHoldDuplicateKey(text: string, value: unknown): boolean {
  return (text.match(/"\s*:/g)?.length ?? 0) > countKeys(value);
}

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const members = Object.values(value);
  let count = Array.isArray(value) ? 0 : members.length;
  for (const member of members) count += countKeys(member);
  return count;
}

function unsafeNumbers(value: unknown, problem: Problem, path: Path = []): Fault[] {
  if (value instanceof LosslessNumber) {
    const message = problem(value.value);
    return message ? [{ path: path.length > 0 ? path : ['body'], message }] : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  const isArray = Array.isArray(value);
  return Object.entries(value).flatMap(([key, member]) =>
    unsafeNumbers(member, problem, [...path, isArray ? Number(key) : key]),
  );
}

/** `1000000000000000000000` is 1e21 with all its digits. */
function hasAllDigits(literal: string): boolean {
  const [, digits = '', decimals = '', exponent] =
    /^(-?\d)\.?(\d*)e\+(\d+)$/.exec(String(Number(literal))) ?? [];
  return exponent !== undefined && literal === digits + decimals.padEnd(Number(exponent), '0');
}

function problemOf(literal: string): string | undefined {
  const number = Number(literal);
  if (!Number.isFinite(number)) return 'must be a number that a double can hold';
  const isInteger = /^-?\d+(\.0+)?$/.test(literal);
  return isInteger && !Number.isSafeInteger(number) ? unsafeInteger : undefined;
}

/** The rule for integers in JSON, on both fronts (legacy contract, values). */
export const unsafeInteger = `must be an integer from ${Number.MIN_SAFE_INTEGER} to ${Number.MAX_SAFE_INTEGER}`;
