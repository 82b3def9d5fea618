import { counted, type Terminal } from './command.js';

type Work = {
  /** What is done, like `purge`. */
  act: string;
  /** What is counted beside the bar, like `service`. */
  noun: string;
  /** How much there is to do, in the unit of `done`; 0 where nobody knows. */
  total: number;
};

const barWidth = 24;
const drawMilliseconds = 100;
const lineMilliseconds = 10_000;

/** How far something is, on standard error: a bar drawn over and over on a terminal, elsewhere a line now and then. */
export class Progress implements Disposable {
  readonly #stream: Terminal['stderr'];
  readonly #work: Work;
  readonly #clock: () => number;
  readonly #begunAt: number;
  #dueAt: number;
  #hasBar = false;

  /** @param clock in milliseconds */
  constructor({ stderr }: Pick<Terminal, 'stderr'>, work: Work, clock = () => performance.now()) {
    this.#stream = stderr;
    this.#work = work;
    this.#clock = clock;
    this.#begunAt = clock();
    this.#dueAt = this.#begunAt + this.#interval;
  }

  get #interval(): number {
    return this.#stream.isTTY ? drawMilliseconds : lineMilliseconds;
  }

  /** @param done in the unit of the total */
  update(done: number, count: number): void {
    const now = this.#clock();
    if (now < this.#dueAt) return;
    this.#dueAt = now + this.#interval;
    const text = this.#textOf(done, count, (now - this.#begunAt) / 1_000);
    this.#stream.write(
      this.#stream.isTTY ? `\r\u001b[K${text.slice(0, this.#stream.columns ?? 80)}` : `${text}\n`,
    );
    this.#hasBar = this.#stream.isTTY ?? false;
  }

  /** Clears the bar, for what is said in the end. */
  [Symbol.dispose](): void {
    if (this.#hasBar) this.#stream.write('\r\u001b[K');
    this.#hasBar = false;
  }

  #textOf(done: number, count: number, seconds: number): string {
    const { act, noun, total } = this.#work;
    const speed = `${Math.round(count / Math.max(seconds, 0.001)).toLocaleString('en')}/s`;
    if (total <= 0) return `${act}  ${counted(count, noun)}  ${speed}`;
    const share = Math.min(done / total, 1);
    const filled = Math.round(share * barWidth);
    const bar = this.#stream.isTTY ? `[${'#'.repeat(filled).padEnd(barWidth)}] ` : '';
    return `${act}  ${bar}${Math.floor(share * 100)} %  ${counted(count, noun)}  ${speed}`;
  }
}
