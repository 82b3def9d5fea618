import type { Answer } from '../harness.js';
import type { Wire } from './wire.js';

/** What nobody outside may read: the workings of the program and of what it stands on. */
const workings =
  /\bat [\w.<>]+ ?\(|\bat (?:async )?(?:file:|node:|\/)|node_modules|\/(?:src|dist|home|usr|tmp|root|work)\/|\.[cm]?[jt]s:\d|prisma|postgres|\bpg_|sqlstate|\bselect\b.{1,200}\bfrom\b|insert into|\bupdate\b.{1,60}\bset\b|syntax error at or near|violates|relation "|column "|::\w*int|(?:Type|Reference|Range|Assertion|Aggregate)Error|FST_ERR|ERR_[A-Z]|\bECONN(?:REFUSED|RESET)|Cannot read prop|is not a function|is not iterable|Maximum call stack|\[object |Invalid time value|Unexpected token|out of range for type/i;

export type Outcome = { isRefused: boolean; wrongs: readonly string[] };

/** What came of a request, and what is wrong with how it was answered. */
export function judge(wire: Wire, answer: Answer): Outcome {
  const leak = workings.exec(answer.text.slice(0, 200_000));
  const wrongs = [
    ...(answer.status >= 500 ? [`answers ${answer.status}`] : []),
    ...(leak && !isOfCaller(wire, leak[0]) ? [`tells "${leak[0]}"`] : []),
  ];
  const front = isOfGraphql(wire) ? judgeGraphql(answer) : judgeRest(wire, answer);
  return { isRefused: front.isRefused, wrongs: [...wrongs, ...front.wrongs] };
}

/** What the caller has sent may come back, and so may the names of the schema. */
function isOfCaller({ url, headers, body }: Wire, text: string): boolean {
  return [decode(url), ...Object.values(headers), String(body ?? '')].some((part) => part.includes(text));
}

function decode(url: string): string {
  try {
    return decodeURIComponent(url.replaceAll('+', ' '));
  } catch {
    return url;
  }
}

/** Other methods reach no front. */
function isOfGraphql({ method, url }: Wire): boolean {
  return /^\/graphql(\?|$)/.test(url) && /^(GET|POST|PUT|PATCH|DELETE|OPTIONS)$/.test(method);
}

function judgeRest({ method, name }: Wire, { status, headers, text, json }: Answer): Outcome {
  if (status < 400) return { isRefused: false, wrongs: [] };
  if (method === 'HEAD') return { isRefused: true, wrongs: [] };
  const isTyped = /^application\/(problem\+)?json; charset=utf-8$/.test(String(headers['content-type']));
  const isShaped =
    json?.status === status &&
    ['type', 'title', 'detail', 'code', 'message', 'exception'].every((member) => isText(json[member])) &&
    Array.isArray(json.errors);
  if (!isTyped || !isShaped)
    return { isRefused: true, wrongs: [`is no problem: ${headers['content-type']} ${text.slice(0, 300)}`] };
  // The one refusal that 8.5 words itself.
  const isUnnamed =
    [400, 413, 415].includes(status) && json.errors.length === 0 && json.code !== 'NO_SERVICE_TO_DELETE';
  return {
    isRefused: true,
    wrongs: [...(isUnnamed ? [`${name} names no field: ${text}`] : []), ...json.errors.flatMap(wrongsOf)],
  };
}

function wrongsOf(fault: unknown): string[] {
  const { path, message } = fault as { path?: unknown; message?: unknown };
  return isText(path) && isText(message) ? [] : [`is no fault: ${JSON.stringify(fault)}`];
}

const ownCodes = /^(INTERNAL|UNAVAILABLE|OUTCOME_UNKNOWN|INTERNAL_SERVER_ERROR)$/;

function judgeGraphql({ status, headers, text }: Answer): Outcome {
  if (/^text\/html/.test(String(headers['content-type'])) && status === 200)
    return { isRefused: false, wrongs: [] };
  const result = resultOf(text);
  if (!result) {
    const wrongs = status === 304 || status === 204 ? [] : [`is no result: ${status} ${text.slice(0, 300)}`];
    return { isRefused: status >= 400, wrongs };
  }
  const errors = result.errors ?? [];
  const values = Object.values(result.data ?? {});
  const failed = values.flatMap((value) =>
    value && isText(value.code) && isText(value.message) ? [value] : [],
  );
  return {
    isRefused:
      values.length === failed.length && !(result.data && values.length === 0 && errors.length === 0),
    wrongs: [
      ...(status >= 400 && errors.length === 0 ? [`answers ${status} without errors: ${text}`] : []),
      ...errors.flatMap(wrongsOfError),
      ...failed.flatMap(({ code, faults }) =>
        code === 'INVALID' && faults?.length === 0 ? ['names no field'] : [],
      ),
      ...failed.flatMap(({ faults }) => (faults ?? []).flatMap(wrongsOf)),
    ],
  };
}

type GraphqlError = { message?: unknown; extensions?: { code?: unknown; faults?: unknown[] } };
type Result = {
  errors?: GraphqlError[];
  data?: Record<string, { code?: unknown; message?: unknown; faults?: unknown[] } | null> | null;
};

/** Of an answer that comes in parts, the first. */
function resultOf(text: string): Result | undefined {
  const json = /^\s*\{/.test(text) ? text : /^(?:data: )?(\{.*\})\s*$/m.exec(text)?.[1];
  // Of a body of GraphQL, which is looked into by what follows.
  return json === undefined ? undefined : (JSON.parse(json) as Result);
}

function wrongsOfError({ message, extensions }: GraphqlError): string[] {
  if (!isText(message)) return ['has an error without a message'];
  if (!isText(extensions?.code)) return [`has an error without a code: ${message}`];
  return [
    ...(ownCodes.test(extensions.code) ? [`answers ${extensions.code}: ${message}`] : []),
    ...(extensions.faults ?? []).flatMap(wrongsOf),
  ];
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
