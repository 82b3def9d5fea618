import { OperatorError } from '../../errors.js';

/** Thrown for what the operator has to mend. The message says what to do. */
export class EmbeddedPostgresError extends OperatorError {}
