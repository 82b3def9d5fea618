import type { DocumentNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';

export type Bounds = {
  documents: number;
  /** Of all texts together. Parsed, a character takes some 50 bytes, in the worst case 300. */
  characters: number;
  /** Of one text: what is longer is never kept. */
  longest: number;
};

const bounds: Bounds = { documents: 1_000, characters: 256 * 1024, longest: 32 * 1024 };

/** Documents that were found valid, by their texts; those that were not asked for longest make room. */
export class DocumentCache {
  readonly #bounds: Bounds;
  readonly #documents = new Map<string, DocumentNode>();
  #characters = 0;

  constructor(given: Bounds = bounds) {
    this.#bounds = given;
  }

  find(text: string): DocumentNode | undefined {
    const document = this.#documents.get(text);
    if (!document) return undefined;
    // The map is in the order of the last use.
    this.#documents.delete(text);
    this.#documents.set(text, document);
    return document;
  }

  has(document: DocumentNode): boolean {
    return this.#documents.get(textOf(document)) === document;
  }

  keep(document: DocumentNode): void {
    const text = textOf(document);
    if (text.length > this.#bounds.longest || this.#documents.has(text)) return;
    this.#documents.set(text, document);
    this.#characters += text.length;
    this.#makeRoom();
  }

  #makeRoom(): void {
    for (const oldest of this.#documents.keys()) {
      const isRoom =
        this.#documents.size <= this.#bounds.documents && this.#characters <= this.#bounds.characters;
      if (isRoom) return;
      this.#documents.delete(oldest);
      this.#characters -= oldest.length;
    }
  }
}

/** The parser leaves it with what it makes. */
function textOf({ loc }: DocumentNode): string {
  return loc?.source.body ?? '';
}

/**
 * Parses and validates a document once. What is kept has passed every `onParse` and `onValidate` of all
 * plugins, so those must judge by the document alone. A rule that looks at the variables, the operation's
 * name or the caller belongs into `onExecute`, which every request passes whichever way it goes, and
 * refuses by the result that it sets.
 */
export function useDocumentCache(documents: DocumentCache): Plugin {
  return {
    onParse({ params: { source }, setParsedDocument }) {
      const document = documents.find(String(source));
      if (document) setParsedDocument(document);
    },
    onValidate({ params: { documentAST }, setResult }) {
      if (documents.has(documentAST)) setResult([]);
    },
    onExecute({ args: { document } }) {
      documents.keep(document);
    },
    onSubscribe({ args: { document } }) {
      documents.keep(document);
    },
  };
}
