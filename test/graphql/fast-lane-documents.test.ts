import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { DocumentCache } from '../../src/graphql/document-cache.js';
import { ask, openWays } from './ways.js';

test('a document is known by its text alone, once it was found valid', async () => {
  await using ways = await openWays();

  const exchanges = await ways.compare(async (app) => {
    for (const query of [
      '{ mapNames }',
      '{ mapNames }',
      '{mapNames}',
      '{ mapNames no }',
      '{ mapNames no }',
    ]) {
      await ask(app, { query });
    }
  });

  expect(exchanges.map(({ isFast }) => isFast)).toEqual([false, true, false, false, false]);
});

test('a document of more than 32 Ki characters is never kept', async () => {
  await using ways = await openWays();
  const ofLength = (length: number) => ({ query: '{ mapNames }'.padEnd(length) });

  const exchanges = await ways.compare(async (app) => {
    for (const length of [32_768, 32_768, 32_769, 32_769]) await ask(app, ofLength(length));
  });

  expect(exchanges.map(({ isFast }) => isFast)).toEqual([false, true, false, false]);
});

test('what was not asked for longest makes room when there are too many documents', () => {
  const documents = new DocumentCache({ documents: 2, characters: 100, longest: 100 });

  for (const text of ['{ a }', '{ b }']) documents.keep(parse(text));
  documents.find('{ a }');
  documents.keep(parse('{ c }'));

  expect(keptIn(documents, ['{ a }', '{ b }', '{ c }'])).toEqual(['{ a }', '{ c }']);
});

test('what was not asked for longest makes room when the texts are too long together', () => {
  const documents = new DocumentCache({ documents: 100, characters: 12, longest: 12 });

  for (const text of ['{ a }', '{ b }']) documents.keep(parse(text));
  documents.keep(parse('{ long }'));

  expect(keptIn(documents, ['{ a }', '{ b }', '{ long }'])).toEqual(['{ long }']);
});

test('a document that is kept twice counts once', () => {
  const documents = new DocumentCache({ documents: 100, characters: 12, longest: 12 });

  for (const text of ['{ a }', '{ b }', '{ a }', '{ b }']) documents.keep(parse(text));

  expect(keptIn(documents, ['{ a }', '{ b }'])).toEqual(['{ a }', '{ b }']);
});

function keptIn(documents: DocumentCache, texts: readonly string[]): string[] {
  return texts.filter((text) => documents.find(text));
}
