import { type ExtensionAct, writeExtension } from '../domain/extension-acts.js';
import type { ExtensionScope } from '../generated/prisma/client.js';
import { type Act, answerAct } from './acts.js';
import { readExtensionInput } from './bodies.js';
import type { Operation } from './call.js';
import { showWritten as showService } from './services.js';
import { showWritten as showState } from './states.js';
import { showWritten as showTask } from './tasks.js';

const shows: Readonly<Record<ExtensionScope, Act['show']>> = {
  SERVICE: showService,
  STATE: showState,
  TASK: showTask,
};

/** Writes one extension of the resource that the path names; an update answers as its generation does. */
export function write({ scope, revision }: ExtensionAct): Operation {
  const act: ExtensionAct = revision ? { scope, revision } : { scope };
  return (call) =>
    answerAct(
      call,
      {
        perform: (db, origin, input) => writeExtension(db, origin, act, input),
        scope,
        show: shows[scope],
        status: call.dialect.updateStatus,
      },
      readExtensionInput(call),
    );
}
