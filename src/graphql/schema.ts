import './associations.js';
import './business-attributes.js';
import './customers.js';
import './errors.js';
import './extension-schemas.js';
import './extension-mutations.js';
import './extensions.js';
import './scalars.js';
import './service-lists.js';
import './service-mutations.js';
import './services.js';
import './state-mutations.js';
import './states.js';
import './task-mutations.js';
import './tasks.js';
import { builder } from './builder.js';
import { guardRootFields } from './roles.js';

export const schema = guardRootFields(builder.toSchema());
