import { type Fault, Invalid, type Path } from '../errors.js';

/** What one value must be; answers the value as the domain keeps it, or the rule that it breaks. */
export type Rule<T> = (value: unknown) => Checked<T>;

export type Checked<T> = { ok: true; value: T } | { ok: false; fault: Omit<Fault, 'path'> };

export function accept<T>(value: T): Checked<T> {
  return { ok: true, value };
}

export function refuse(message: string, allowed?: readonly string[]): Checked<never> {
  return { ok: false, fault: allowed ? { message, allowed } : { message } };
}

/** A string of `min` to `max` characters that PostgreSQL can keep and UTF-8 can carry. */
export function text(max: number, min = 0): Rule<string> {
  return (value) => {
    if (typeof value !== 'string') return refuse('must be a string');
    const problem = unstorable(value);
    if (problem) return refuse(problem);
    // A character is one or two units of UTF-16: most texts need no counting.
    if (value.length >= 2 * min && value.length <= max) return accept(value);
    const length = [...value].length;
    if (length < min) return refuse(min === 1 ? 'must not be empty' : `must have at least ${min} characters`);
    if (length > max) return refuse(`must have at most ${max} characters, has ${length}`);
    return accept(value);
  };
}

/** An object of JSON: neither null nor an array. Its members are looked at one by one. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Why a string cannot be stored as it is; undefined when it can. */
export function unstorable(value: string): string | undefined {
  if (value.includes('\u0000')) return 'must not contain the character U+0000';
  if (!value.isWellFormed()) return 'must not contain a lone surrogate';
  return undefined;
}

export function integer(min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER): Rule<number> {
  return (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
      ? accept(value)
      : refuse(`must be an integer from ${min} to ${max}`);
}

export function oneOf<const T extends string>(values: readonly T[]): Rule<T> {
  return (value) => {
    const found = values.find((candidate) => candidate === value);
    return found === undefined ? refuse(`must be one of ${values.join(', ')}`, values) : accept(found);
  };
}

/** "long or string" of the legacy contract: kept in the JSON type it came in. */
export const typeCode: Rule<number | string> = (value) => {
  if (typeof value === 'number') return integer()(value);
  if (typeof value === 'string') return text(64)(value);
  return refuse('must be an integer or a string');
};

/** A 64-bit id that the gateway assigned: `1500` or `"1500"`; never through a double. */
export const serviceId: Rule<bigint> = (value) => {
  const digits = typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
  if (typeof digits === 'string' && /^[0-9]{1,19}$/.test(digits)) {
    const id = BigInt(digits);
    if (id >= 1n && id <= 9_223_372_036_854_775_807n) return accept(id);
  }
  return refuse('must be an integer from 1 to 9223372036854775807');
};

export const dateTimeForm =
  /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,3})?)?(Z|[+-]\d\d:?\d\d)$/;

/** ISO 8601 with a zone and at most milliseconds: `2009-05-12T12:05:12.145Z`. */
export const dateTime: Rule<Date> = (value) => {
  if (value instanceof Date && !Number.isNaN(value.getTime())) return accept(value);
  const asAnswered = typeof value === 'string' ? timeAsAnswered(value) : undefined;
  if (asAnswered) return accept(asAnswered);
  const day = typeof value === 'string' ? dateTimeForm.exec(value)?.[1] : undefined;
  if (typeof value === 'string' && day !== undefined && isCalendarDay(day)) {
    const time = new Date(value.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
    if (!Number.isNaN(time.getTime()) && time.getUTCFullYear() >= 1 && time.getUTCFullYear() <= 9999) {
      return accept(time);
    }
  }
  return refuse('must be an ISO 8601 date and time with its zone, like 2009-05-12T12:05:12.145Z');
};

/** Of what is written as the gateway itself writes it, as most are, no part has to be looked at. */
function timeAsAnswered(value: string): Date | undefined {
  const time = new Date(value);
  const isSame = !Number.isNaN(time.getTime()) && time.toISOString() === value;
  return isSame && time.getUTCFullYear() >= 1 && time.getUTCFullYear() <= 9999 ? time : undefined;
}

/** `2009-02-29` has the form of a day, but is none. */
export function isCalendarDay(day: string): boolean {
  const time = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(day);
}

/** A list of `min` to `max` values that all keep one rule. */
export function list<T>(rule: Rule<T>, min: number, max: number): Rule<readonly T[]> {
  return (value) => {
    if (!Array.isArray(value) || value.length < min || value.length > max) {
      return refuse(`must be a list of ${min} to ${max} values`);
    }
    const checked = value.map((element) => rule(element));
    const broken = checked.find((element) => !element.ok);
    return broken ?? accept(checked.flatMap((element) => (element.ok ? [element.value] : [])));
  };
}

/** Lets `null` pass: it clears what is stored. */
export function nullable<T>(rule: Rule<T>): Rule<T | null> {
  return (value) => (value === null ? accept(null) : rule(value));
}

// biome-ignore lint/suspicious/noExplicitAny: a table of rules of any value; each keeps its own type
export type Rules = Readonly<Record<string, Rule<any>>>;

/** What passed: an absent field stays absent. */
export type Fields<R extends Rules> = {
  -readonly [K in keyof R]?: R[K] extends Rule<infer T> ? T : never;
};

const mostGathered = 1_000;

/** Gathers every fault of one input, so that a caller learns of all of them at once. */
export class Faults {
  readonly list: Fault[];

  constructor(known: readonly Fault[] = []) {
    this.list = [...known];
  }

  /** A small body can break a rule a million times: past what anybody reads faults are not gathered. */
  add(path: Path, fault: Omit<Fault, 'path'>): void {
    if (this.list.length < mostGathered) this.list.push({ path, ...fault });
  }

  /** The value, or undefined when it is absent or breaks the rule. */
  check<T>(rule: Rule<T>, path: Path, value: unknown): T | undefined {
    if (value === undefined) return undefined;
    const checked = rule(value);
    if (checked.ok) return checked.value;
    this.add(path, checked.fault);
    return undefined;
  }

  /** @param standIn what to go on with when the value is at fault, until the faults are thrown */
  require<T>(rule: Rule<T>, path: Path, value: unknown, standIn: T): T {
    if (value === undefined) this.add(path, { message: 'is required' });
    return this.check(rule, path, value) ?? standIn;
  }

  /** Reads the fields that the rules name and leaves the others alone. */
  read<R extends Rules>(rules: R, input: Readonly<Record<string, unknown>>, path: Path = []): Fields<R> {
    const fields: Record<string, unknown> = {};
    for (const name in rules) {
      const [rule, given] = [rules[name], input[name]];
      if (given === undefined || !rule) continue;
      const checked = rule(given);
      if (checked.ok) fields[name] = checked.value;
      else this.add([...path, name], checked.fault);
    }
    // Every entry came out of the rule of its name.
    return fields as Fields<R>;
  }

  throwIfAny(): void {
    if (this.list.length > 0) throw new Invalid(this.list);
  }
}
