import { parseArgs } from 'node:util';
import type { Rule } from '../domain/rules.js';

const optionForms = {
  role: { type: 'string', multiple: true },
  tenant: { type: 'string', multiple: true },
  'all-tenants': { type: 'boolean', multiple: true },
  name: { type: 'string', multiple: true },
  from: { type: 'string', multiple: true },
  to: { type: 'string', multiple: true },
  before: { type: 'string', multiple: true },
  report: { type: 'string', multiple: true },
  'dry-run': { type: 'boolean', multiple: true },
  status: { type: 'boolean', multiple: true },
  json: { type: 'boolean', multiple: true },
} as const;

type OptionName = keyof typeof optionForms;

/** What stands behind a command, taken piece by piece. Every fault is gathered, what nobody took too. */
export class Arguments {
  readonly #positionals: string[];
  readonly #options: Map<string, unknown[]>;
  readonly #faults: string[] = [];

  constructor(args: readonly string[]) {
    const parsed = parseArgs({
      args: [...args],
      options: optionForms,
      allowPositionals: true,
      // Which would tell of the first fault alone.
      strict: false,
    });
    this.#positionals = [...parsed.positionals];
    this.#options = new Map(Object.entries(parsed.values).map(([name, given]) => [name, [given].flat()]));
  }

  positional<T>(label: string, rule: Rule<T>): T | undefined {
    const given = this.#positionals.shift();
    if (given === undefined) this.fault(`${label} is required`);
    return given === undefined ? undefined : this.#check(label, rule, given);
  }

  option<T>(name: OptionName, rule: Rule<T>): T | undefined {
    const [value, ...more] = this.options(name, rule);
    if (more.length > 0) this.fault(`--${name} is given more than once`);
    return value;
  }

  has(name: OptionName): boolean {
    return this.#options.has(name);
  }

  requiredOption<T>(name: OptionName, rule: Rule<T>): T | undefined {
    if (!this.has(name)) this.fault(`--${name} is required`);
    return this.option(name, rule);
  }

  options<T>(name: OptionName, rule: Rule<T>): T[] {
    const given = this.#options.get(name) ?? [];
    this.#options.delete(name);
    return given.flatMap((value) => this.#check(`--${name}`, rule, value) ?? []);
  }

  flag(name: OptionName): boolean {
    return this.#options.delete(name);
  }

  fault(message: string): void {
    this.#faults.push(message);
  }

  faults(): readonly string[] {
    return [
      ...this.#faults,
      ...this.#positionals.map((given) => `"${given}" is one argument too many`),
      ...[...this.#options.keys()].map((name) => `--${name} is no option of this command`),
    ];
  }

  #check<T>(label: string, rule: Rule<T>, given: unknown): T | undefined {
    const checked = rule(given);
    if (checked.ok) return checked.value;
    this.fault(`${label} ${checked.fault.message}`);
    return undefined;
  }
}
