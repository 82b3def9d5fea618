import { readVersion } from '../version.js';
import { applyForms } from './apply.js';
import { Arguments } from './arguments.js';
import { type Command, exitCodes, type Form, print } from './command.js';
import { doctorForms } from './doctor.js';
import { exportForms } from './export.js';
import { importForms } from './import.js';
import { keyForms } from './keys.js';
import { migrateForms } from './migrate.js';
import { purgeForms } from './purge.js';
import { seedForms } from './seed.js';
import { startForms } from './start.js';
import { tenantForms } from './tenants.js';

/** The command cannot be read: every fault, and how it is used. */
export class UsageError extends Error {
  constructor(faults: readonly string[]) {
    super([...faults, usage].join('\n'));
  }
}

const forms: Readonly<Record<string, Form>> = {
  ...startForms,
  ...migrateForms,
  ...seedForms,
  ...tenantForms,
  ...keyForms,
  ...applyForms,
  ...purgeForms,
  ...exportForms,
  ...importForms,
  ...doctorForms,
};

const usage = [
  'usage: context-gateway …  (in a checkout: npm run -s cli -- …)',
  ...Object.entries(forms).map(([name, { parameters }]) => `  ${name} ${parameters}`.trimEnd()),
].join('\n');

/** @throws UsageError, listing every fault */
export function readCommand(args: readonly string[]): Command {
  const [first = '', second] = args;
  if (first === '--version') return version;
  const asked = args.filter((argument) => !isHelp(argument));
  if (asked.length < args.length) return help(asked);
  const words = Object.hasOwn(forms, first) ? 1 : 2;
  const name = second === undefined || words === 1 ? first : `${first} ${second}`;
  const form = Object.hasOwn(forms, name) ? forms[name] : undefined;
  if (!form) throw new UsageError([name === '' ? 'A command is needed.' : `There is no command "${name}".`]);
  const given = new Arguments(args.slice(words));
  const command = form.read(given);
  const faults = given.faults();
  if (faults.length > 0) throw new UsageError(faults);
  return command;
}

function isHelp(argument: string): boolean {
  return argument === '--help' || argument === '-h';
}

async function version(terminal: Parameters<Command>[0]): Promise<number> {
  print(terminal, [await readVersion()]);
  return exitCodes.done;
}

/** Of the commands that begin with these words, or of all. */
function help(words: readonly string[]): Command {
  const named = Object.entries(forms).filter(([name]) => isNamed(name, words));
  if (named.length === 0) throw new UsageError([`There is no command "${words.join(' ')}".`]);
  return async (terminal) => {
    print(terminal, words.length === 0 ? overview() : named.flatMap(describe));
    return exitCodes.done;
  };
}

function isNamed(name: string, words: readonly string[]): boolean {
  return name.split(' ').every((word, place) => words[place] === undefined || words[place] === word);
}

function overview(): string[] {
  const width = Math.max(...Object.keys(forms).map((name) => name.length));
  return [
    'usage: context-gateway COMMAND …  (in a checkout: npm run -s cli -- COMMAND …)',
    '',
    ...Object.entries(forms).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'context-gateway COMMAND --help says how each is written. Settings are environment variables, as for the gateway.',
    'It ends with 0 when all is done, 1 when something is refused, 64 when the command is wrong, 78 when a setting is,',
    'and 130 after Ctrl-C.',
  ];
}

function describe([name, { parameters, summary, details = [] }]: [string, Form]): string[] {
  return [
    `context-gateway ${name} ${parameters}`.trimEnd(),
    ...[summary, ...details].map((line) => `  ${line}`),
  ];
}
