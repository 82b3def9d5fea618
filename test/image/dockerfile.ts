/** One line of a Dockerfile, its continuations joined. */
export type Instruction = { name: string; text: string };

export type Stage = { name: string; image: string; instructions: readonly Instruction[] };

/** The stages in their order; the last one is the image. */
export function readDockerfile(text: string): Stage[] {
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  for (const { name, text: rest } of instructionsOf(text)) {
    if (name === 'FROM') {
      const [image = '', , stage] = rest.split(/\s+/);
      stages.push({ name: stage ?? String(stages.length), image, instructions: [] });
    } else stages.at(-1)?.instructions.push({ name, text: rest });
  }
  return stages;
}

/** The last of the name: it is the one that counts. */
export function lastOf({ instructions }: Stage, name: string): string {
  const found = instructions.findLast((instruction) => instruction.name === name);
  if (!found) throw new Error(`the stage has no ${name}`);
  return found.text;
}

/** A command that is given as a list, with no shell between; options may stand before it. */
export function commandOf(text: string): string[] {
  const command: unknown = JSON.parse(text.slice(text.indexOf('[')));
  if (!Array.isArray(command)) throw new Error(`no list of words: ${text}`);
  return command.map(String);
}

/** `NAME=value` pairs without quotes. */
export function environmentOf({ instructions }: Stage): Record<string, string> {
  const pairs = instructions.filter(({ name }) => name === 'ENV').flatMap(({ text }) => text.split(/\s+/));
  return Object.fromEntries(
    pairs.map((pair) => [pair.split('=')[0] ?? '', pair.slice(pair.indexOf('=') + 1)]),
  );
}

function instructionsOf(text: string): Instruction[] {
  const lines = text.split('\n').filter((line) => !/^\s*(#|$)/.test(line));
  return lines
    .join('\n')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => ({ name: line.split(' ')[0] ?? '', text: line.slice(line.indexOf(' ') + 1).trim() }));
}
