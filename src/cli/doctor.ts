import { diagnose, type Finding } from '../doctor/diagnosis.js';
import { counted, exitCodes, type Form, note, print } from './command.js';

export const doctorForms = {
  doctor: {
    parameters: '[--json]',
    summary: 'looks for what is wrong with settings, machine and database, and tells how to mend it',
    details: [
      'It changes nothing, and ends with 1 when there is an error, with 0 when there are warnings alone.',
    ],
    read(given) {
      const isJson = given.flag('json');
      return async (terminal) => {
        // From here on Ctrl-C leaves no PostgreSQL behind that nobody uses.
        terminal.interruption();
        const { environment, now: clock } = terminal;
        const findings = await diagnose({ environment, nodeVersion: process.versions.node, clock });
        print(terminal, isJson ? [JSON.stringify(findings)] : findings.map(lineOf));
        const errors = findings.filter(({ level }) => level === 'error').length;
        note(terminal, `${counted(errors, 'error')}, ${counted(findings.length - errors, 'warning')}`);
        return errors > 0 ? exitCodes.refused : exitCodes.done;
      };
    },
  },
} satisfies Record<string, Form>;

function lineOf({ level, check, what, why, fix }: Finding): string {
  return `${level.padEnd('warning'.length)}  ${check}: ${what} ${why} Fix: ${fix}`;
}
