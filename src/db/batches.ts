import { Prisma } from '../generated/prisma/client.js';
import { prepared } from './statement-names.js';

/**
 * One statement for a batch of commands, as text whose parameters are those of `given`. It answers a row for
 * each command that it carried out, with the command's place in the batch.
 */
export type BatchStatement<Command> = (commands: readonly Command[]) => string;

/** What stands in the text for what each batch has of its own; `place` of a command is its place in it. */
export const given = {
  commands: Prisma.raw('$1::jsonb'),
  tenant: Prisma.raw('$2::text'),
  lockTimeout: Prisma.raw('$3::text'),
} as const;

/** Sets for the rest of the statement how long it waits for a row; always true. */
export const waitsAsGiven = Prisma.sql`(select set_config('lock_timeout', ${given.lockTimeout}, true)) is not null`;

/** A statement as it is sent. */
export type Statement = {
  text: string;
  values: readonly unknown[];
  /** How many commands it carries; absent where it is no batch. */
  commands?: number;
};

/** @param lockTimeout how long the statement waits for a row, whatever the connection's own setting is */
export function inBatch<Command extends object>(
  statement: BatchStatement<Command>,
  commands: readonly Command[],
  { tenant, lockTimeout }: { tenant: string; lockTimeout: string },
): Statement {
  // Each is as large as a call, and is not copied for its place; none is empty.
  const placed = commands.map((command, place) => `{"place":${place},${JSON.stringify(command).slice(1)}`);
  const values = [`[${placed.join()}]`, tenant, lockTimeout];
  return { text: statement(commands), values, commands: commands.length };
}

/**
 * A statement with parts that are left out where no command of a batch needs them: unused they cost time all
 * the same. Each text is made once.
 * @param needs by the part's name, whether a command needs it
 * @param build from which parts are there; without parameters other than those of `given`
 */
export function batchStatement<Command, Part extends string>(
  needs: Readonly<Record<Part, (command: Command) => boolean>>,
  build: (has: Readonly<Record<Part, boolean>>) => Prisma.Sql,
): BatchStatement<Command> {
  // Made of just these.
  const parts = Object.keys(needs) as Part[];
  const texts = new Map<string, string>();
  return (commands) => {
    const needed = parts.filter((part) => commands.some(needs[part]));
    const known = texts.get(needed.join());
    if (known !== undefined) return known;
    // As above.
    const has = Object.fromEntries(parts.map((part) => [part, needed.includes(part)])) as Record<
      Part,
      boolean
    >;
    const { text } = Prisma.sql`${prepared.write} ${build(has)}`;
    texts.set(needed.join(), text);
    return text;
  };
}
