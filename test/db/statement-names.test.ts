import { expect, test } from 'vitest';
import { StatementNames } from '../../src/db/statement-names.js';

test('a statement that is sent again and again gets a name of its own, and keeps it', () => {
  const names = new StatementNames();

  const sent = Array.from({ length: 6 }, () => [names.nameOf('select 1'), names.nameOf('select 2')]);

  expect(sent.slice(0, 3).flat()).toEqual(Array.from({ length: 6 }, () => undefined));
  expect(sent[3]).toEqual(['s1', 's2']);
  expect(sent[5]).toEqual(sent[3]);
});

test('statements that differ each time get no names, and those that are known keep theirs', () => {
  const names = new StatementNames();
  for (let count = 0; count < 4; count++) names.nameOf('select 1');

  const others = Array.from({ length: 5_000 }, (_, n) => names.nameOf(`select ${n} + 1`));

  expect(others.filter((name) => name !== undefined)).toEqual([]);
  expect(names.nameOf('select 1')).toBe('s1');
});

test('no more than 200 statements get a name', () => {
  const names = new StatementNames();
  const texts = Array.from({ length: 300 }, (_, n) => `select ${n}`);
  for (let count = 0; count < 4; count++) for (const text of texts) names.nameOf(text);

  const named = texts.flatMap((text) => names.nameOf(text) ?? []);

  expect(new Set(named).size).toBe(200);
});
