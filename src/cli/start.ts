import { exitCodes, type Form } from './command.js';

export const startForms = {
  start: {
    parameters: '',
    summary: 'runs the gateway until Ctrl-C, as `npm start` does',
    read: () => async () => {
      // It reads the settings, serves, and sets the exit code itself: all that the process is from now on.
      await import('../main.js');
      return Number(process.exitCode ?? exitCodes.done);
    },
  },
} satisfies Record<string, Form>;
