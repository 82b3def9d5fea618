import type { GivenLine } from '../domain/tenant-import.js';

/** A service of as many states and tasks as nobody has; longer lines are none. */
const longestLine = 64 * 1024 * 1024;

/** The lines of a stream of bytes, without those that are empty. Of one that is too long nothing is kept. */
export async function* linesIn(
  chunks: AsyncIterable<Buffer>,
  longest = longestLine,
): AsyncGenerator<GivenLine> {
  let number = 0;
  let pieces: Buffer[] = [];
  let length = 0;
  const keep = (piece: Buffer) => {
    length += piece.length;
    if (length > longest) pieces = [];
    else pieces.push(piece);
  };
  const take = (): GivenLine => {
    const line = { number, bytes: length > longest ? null : Buffer.concat(pieces) };
    pieces = [];
    length = 0;
    return line;
  };
  for await (const chunk of chunks) {
    let begin = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, begin)) {
      keep(chunk.subarray(begin, end));
      begin = end + 1;
      number += 1;
      if (length > 0) yield take();
    }
    if (begin < chunk.length) keep(chunk.subarray(begin));
  }
  number += 1;
  if (length > 0) yield take();
}
