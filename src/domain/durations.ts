import { accept, integer, type Rule, refuse } from './rules.js';

const day = 24 * 60 * 60;

/** Months have 30 days and years 365 (legacy contract, operations). */
const secondsOf: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  h: 60 * 60,
  d: day,
  w: 7 * day,
  M: 30 * day,
  y: 365 * day,
};

/** A hundred years, in seconds: what is added to a date still has a date. */
const longest = 100 * 365 * day;

/** A time that something lasts, in seconds. */
export const seconds: Rule<number> = integer(1, longest);

/** The same as settings say it, like `30d`: the legacy contract's `<int><s|m|h|d|w|M|y>`. */
export const duration: Rule<number> = (value) => {
  const [, count, unit = ''] = /^(\d{1,10})([smhdwMy])$/.exec(String(value)) ?? [];
  const checked = seconds(Number(count) * (secondsOf[unit] ?? Number.NaN));
  return checked.ok
    ? accept(checked.value)
    : refuse('must be a number and one of s, m, h, d, w, M, y, like 30d; from 1s to 100y');
};
