import { Prisma } from '../generated/prisma/client.js';

/**
 * What a statement begins with that PostgreSQL is to parse and plan once a connection. There are some tens
 * of texts of those that write; those that read have one for each combination of what is asked for.
 */
export const prepared = { write: Prisma.raw('/* write */'), read: Prisma.raw('/* read */') } as const;

const mark = /^\s*\/\* (write|read) \*\//;

/** Each connection keeps every plan that it made. */
const mostReads = 100;

/** The names under which connections keep statements that are marked so; others have none. */
export class StatementNames {
  readonly #names = new Map<string, string>();
  #reads = 0;

  nameOf(text: string): string | undefined {
    return this.#names.get(text) ?? this.#add(text);
  }

  #add(text: string): string | undefined {
    const kind = mark.exec(text)?.[1];
    if (kind === undefined || (kind === 'read' && this.#reads >= mostReads)) return undefined;
    if (kind === 'read') this.#reads += 1;
    const name = `${kind}_${this.#names.size + 1}`;
    this.#names.set(text, name);
    return name;
  }
}
