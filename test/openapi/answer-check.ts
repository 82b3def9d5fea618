import type { ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import {
  type Document,
  escaped,
  type Found,
  type Json,
  type Operation,
  pathFinder,
  type Response,
  resolve,
} from './document.js';

export type Exchange = {
  method: string;
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string | Buffer | undefined;
  answer: { status: number; headers: Record<string, unknown>; text: string };
};

/** Holds answers of the REST API against what its document says of them. */
export class AnswerCheck {
  readonly #document: Document;
  readonly #find: (url: string) => Found | undefined;
  readonly #answers: Ajv2020;
  readonly #bodies: Ajv2020;
  readonly #validators = new Map<string, ValidateFunction>();
  /** Those that operations tell of; others, like those of security, all answers may have. */
  readonly #headerNames: readonly string[];

  constructor(document: object) {
    this.#document = document as Document;
    this.#find = pathFinder(this.#document);
    const options = { strict: false, allErrors: true, validateSchema: false } as const;
    this.#answers = new Ajv2020(options);
    addFormats.default(this.#answers);
    this.#answers.addFormat('int64', { type: 'number', validate: Number.isInteger });
    this.#answers.addSchema(closed(this.#document), 'document');
    // More forms of times are taken than those that formats have.
    this.#bodies = new Ajv2020({ ...options, validateFormats: false });
    this.#bodies.addSchema(this.#document, 'document');
    this.#headerNames = Object.values(this.#document.paths)
      .flatMap((operations) => Object.values(operations))
      .flatMap(({ responses }) => Object.values(responses))
      .flatMap((response) => Object.keys(resolve<Response>(this.#document, response).headers ?? {}))
      .map((name) => name.toLowerCase());
  }

  /**
   * @returns whether the answer is one of the REST API
   * @throws Error that says where an answer is not as it is described, or where it is not described at all
   */
  check(exchange: Exchange): boolean {
    const { method, url, answer } = exchange;
    if (/^\/(graphql|docs)\b/.test(url) || isPreflight(exchange)) return false;
    const found = this.#find(url);
    const operation = found?.operations[method === 'HEAD' ? 'get' : method.toLowerCase()];
    const faults =
      operation && found
        ? this.#faultsOf(exchange, found, operation)
        : this.#faultsOfRefusal(exchange, found);
    if (faults.length === 0) return true;
    throw new Error(
      `${method} ${url} answered ${answer.status}, which openapi.json does not describe so: ${faults.join('; ')}. The answer: ${answer.text.slice(0, 500)}`,
    );
  }

  #faultsOf(exchange: Exchange, { path }: Found, operation: Operation): string[] {
    const { method, answer } = exchange;
    const place = { path, method: method === 'HEAD' ? 'get' : method.toLowerCase() };
    const described = operation.responses[answer.status];
    if (!described) return [`${operation.operationId} has no answer ${answer.status}`];
    const response = resolve<Response>(this.#document, described);
    const steps = ['paths', place.path, place.method, 'responses', String(answer.status)];
    const pointer = '$ref' in described ? String(described.$ref) : pointerOf(steps);
    return [
      ...this.#headerFaults(response, answer.headers),
      ...this.#contentFaults(response, pointer, exchange),
      ...(answer.status < 300 ? this.#bodyFaults(operation, place, exchange) : []),
    ];
  }

  /** Of a path, or of a method of a path, that is none. */
  #faultsOfRefusal({ method, answer }: Exchange, found: Found | undefined): string[] {
    if (answer.status < 400) {
      return [`the route has no description: add it to src/rest/openapi/ and run npm run print-openapi`];
    }
    if (
      found &&
      ![404, 405].includes(answer.status) &&
      answer.status < 500 &&
      ![400, 401, 403, 429].includes(answer.status)
    ) {
      return ['no operation has that answer'];
    }
    const allowed = Object.keys(found?.operations ?? {}).flatMap((name) =>
      name === 'get' ? ['GET', 'HEAD'] : [name.toUpperCase()],
    );
    const told = String(answer.headers['allow'] ?? '').split(', ');
    const isOther = answer.status === 405 && told.sort().join() !== allowed.sort().join();
    const text =
      method === 'HEAD'
        ? []
        : this.#validate(this.#answers, '#/components/schemas/Problem', jsonOf(answer.text));
    return [...(isOther ? [`Allow names ${told}, the document ${allowed}`] : []), ...text];
  }

  #headerFaults({ headers = {} }: Response, given: Record<string, unknown>): string[] {
    const described = Object.entries(headers).map(
      ([name, header]) =>
        [name.toLowerCase(), resolve<{ required?: boolean }>(this.#document, header)] as const,
    );
    const names = described.map(([name]) => name);
    // Every answer has them, where there is a limit.
    const surplus = this.#headerNames.filter(
      (name) => given[name] !== undefined && !names.includes(name) && !name.startsWith('ratelimit-'),
    );
    return [
      ...described.flatMap(([name, { required }]) =>
        required && given[name] === undefined ? [`the header ${name} is missing`] : [],
      ),
      ...[...new Set(surplus)].map((name) => `the header ${name} is not described`),
    ];
  }

  #contentFaults(response: Response, pointer: string, { method, answer }: Exchange): string[] {
    const { content = {}, headers = {} } = response;
    const [type = ''] = String(answer.headers['content-type'] ?? '').split(';');
    const isEmpty = answer.text === '' && type === '';
    const isPreferred = answer.headers['preference-applied'] !== undefined;
    const mayBeEmpty = Object.keys(content).length === 0 || ('Preference-Applied' in headers && !isPreferred);
    if (isEmpty) return mayBeEmpty ? [] : ['the answer is empty'];
    if (!content[type]) return [`the type ${type} is not described`];
    if (method === 'HEAD') return [];
    const schema = `${pointer}/content/${escaped(type)}/schema`;
    const lines = type === 'application/x-ndjson' ? answer.text.split('\n').slice(0, -1) : [answer.text];
    const asValue = type === 'text/plain' ? (text: string) => text : jsonOf;
    return lines.flatMap((line) => this.#validate(this.#answers, schema, asValue(line)));
  }

  /** What was taken must be among what the document says is taken. */
  #bodyFaults({ requestBody }: Operation, { path, method }: Place, { body }: Exchange): string[] {
    const text = String(body ?? '');
    if (!requestBody) return [];
    if (text === '') return requestBody.required ? ['it took no body'] : [];
    return this.faultsOfBody(path, method, text).map((fault) => `it took a body where ${fault}`);
  }

  /** What is wrong with the text as the body of an operation. */
  faultsOfBody(path: string, method: string, text: string): string[] {
    const steps = ['paths', path, method, 'requestBody', 'content', 'application/json', 'schema'];
    return this.#validate(this.#bodies, pointerOf(steps), jsonOf(text));
  }

  #validate(ajv: Ajv2020, pointer: string, value: unknown): string[] {
    const key = `${ajv === this.#bodies ? 'body' : 'answer'} ${pointer}`;
    const $ref = `document#${pointer.slice(1).split('/').map(encodeURIComponent).join('/')}`;
    const validate = this.#validators.get(key) ?? ajv.compile({ $ref });
    this.#validators.set(key, validate);
    return validate(value)
      ? []
      : (validate.errors ?? [])
          .slice(0, 5)
          .map(
            ({ instancePath, message, params }) =>
              `${instancePath || 'it'} ${message} ${JSON.stringify(params)}`,
          );
  }
}

type Place = { path: string; method: string };

function pointerOf(steps: readonly string[]): string {
  return `#/${steps.map(escaped).join('/')}`;
}

function isPreflight({ method, answer }: Exchange): boolean {
  return method === 'OPTIONS' && answer.status === 204;
}

function jsonOf(text: string): unknown {
  return JSON.parse(text.replace(/^\uFEFF/, ''));
}

/** The same with answers that have no members but those that are named. */
function closed(document: Document): object {
  const close = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(close);
    if (typeof value !== 'object' || value === null) return value;
    const members: Json = Object.fromEntries(
      Object.entries(value).map(([name, member]) => [name, close(member)]),
    );
    const isOpen =
      members['type'] === 'object' && members['properties'] && members['additionalProperties'] === undefined;
    return isOpen ? { ...members, additionalProperties: false } : members;
  };
  return close(document) as object;
}
