import type { Reporter, TestModule } from 'vitest/node';

/** Says in the end how many answers the tests have held against the document; each that did not fit failed its test. */
export class AnswerReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const count = modules.reduce((sum, module) => sum + (module.meta().checkedAnswers ?? 0), 0);
    if (count > 0) process.stdout.write(`${count} answers of REST fit openapi.json\n`);
  }
}
