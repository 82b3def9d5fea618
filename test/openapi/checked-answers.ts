import { openApiDocument } from '../../src/rest/openapi/document.js';
import { AnswerCheck, type Exchange } from './answer-check.js';

let check: AnswerCheck | undefined;
let count = 0;

/** How many answers of the REST API this worker has held against the document. */
export function countOfAnswers(): number {
  return count;
}

/** @throws Error where the answer of an app is not as its document describes it */
export function requireDescribed(exchange: Exchange): void {
  check ??= new AnswerCheck(openApiDocument('0.0.0'));
  if (check.check(exchange)) count += 1;
}
