import { type Call, dataOf, type Fetch, factsOf, readAnswer, send, unanswered } from './exchange.js';
import { NoAnswer } from './failures.js';

/**
 * The answers of one subscription as they come, by server-sent events, until the gateway ends it. Whoever stops
 * reading ends it too.
 * @param silenceMilliseconds how long nothing may come; the gateway says each 12 s that it is there
 * @throws CallRefused, NoAnswer
 */
export async function* readEventStream(
  fetch: Fetch,
  { signal, ...call }: Call,
  silenceMilliseconds = 45_000,
): AsyncGenerator<unknown, void> {
  const leaving = new AbortController();
  const heard = async <T>(coming: Promise<T>): Promise<T> => {
    const silence = new NoAnswer('nothing was heard of it any more', {});
    const watch = setTimeout(() => leaving.abort(silence), silenceMilliseconds);
    return coming.finally(() => clearTimeout(watch));
  };
  const connection = { ...call, signal: AbortSignal.any([signal, leaving.signal]) };
  try {
    const response = await heard(send(fetch, connection));
    const facts = factsOf(response);
    if (!response.headers.get('content-type')?.startsWith('text/event-stream') || !response.body) {
      await readAnswer(response, connection);
      throw new NoAnswer(`${call.url} answered, and not with a stream of events.`, facts);
    }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ''; ; ) {
      const { value, done } = await heard(reader.read()).catch(unanswered);
      if (done) throw new NoAnswer('The subscription broke off.', {});
      const events = `${text}${value}`.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        // To a pattern, lines would end at what a text in the JSON may have in it as well.
        const lines = event.split('\n');
        if (lines.includes('event: complete')) return;
        const data = lines.find((line) => line.startsWith('data: '))?.slice('data: '.length);
        if (data) yield dataOf(JSON.parse(data), facts);
      }
    }
  } finally {
    leaving.abort();
  }
}
