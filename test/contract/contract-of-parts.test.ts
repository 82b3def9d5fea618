import { tablesOfParts } from './tables.js';
import { walk } from './walk.js';

walk(tablesOfParts);
