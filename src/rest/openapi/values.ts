import { dateTimeForm } from '../../domain/rules.js';
import { described, integer, type Schema, text } from './schema.js';

/** The values of the legacy contract, by their names there. */

export const serviceId: Schema = {
  type: 'integer',
  format: 'int64',
  minimum: 1,
  description: 'Assigned by the gateway, of 64 bits: more than the doubles of JavaScript hold exactly.',
};

export const partId: Schema = {
  ...integer(0, 2_147_483_647),
  description: 'Counted from 0 within its service.',
};

/** "Long or string": comes back in the JSON type that it was given in. */
export const code: Schema = {
  title: 'TypeCode',
  type: ['integer', 'string'],
  minimum: Number.MIN_SAFE_INTEGER,
  maximum: Number.MAX_SAFE_INTEGER,
  maxLength: 64,
};

export const customerId = described('No profile of that id needs to exist.', text(64, 1));
export const contactKey = described('What an anonymous service is found by.', text(128, 1));

/** As it is answered: UTC and milliseconds. */
export const time: Schema = { type: 'string', format: 'date-time' };

/** As it is taken: with its zone, and with fewer digits too. */
export const givenTime: Schema = {
  type: 'string',
  pattern: dateTimeForm.source,
  description: 'ISO 8601 with a zone and at most milliseconds, like `2009-05-12T12:05:12.145Z`.',
};

/** A hundred years at most. */
export const lifetime = integer(1, 100 * 365 * 24 * 60 * 60);

export const estimate = described('Estimated duration in seconds.', integer(0));

export const extensionName: Schema = {
  type: 'string',
  pattern: '^[A-Za-z][A-Za-z0-9_]{0,25}$',
  description: 'A letter, then letters, digits and `_`, at most 26 characters. Case makes no difference.',
};
