import { mediaType } from './business-attributes.js';
import { badQuery, type Row, refused } from './row.js';

export const unmapped = {
  ...mediaType,
  name: 'Reason',
  dbid: 200,
  display_name: 'Reason',
  description: 'Why they call',
  cv_attributes: [],
  values: [{ name: 'moved house', dbid: 1, display_name: 'Moved', description: 'A new address' }],
};

const parts = ['Service', 'State', 'Task'];
const fields = ['type', 'disposition', 'application_type', 'resource_type', 'media_type'];

/** Every field that can be mapped. */
const mappable = parts.flatMap((part) => fields.map((field) => `${part}.${field}`));

const queries: Omit<Row, 'path' | 'examples' | 'refusals'> = {
  operation: 'Query Business Attributes',
  method: 'GET',
};

const allow = ['GET', 'HEAD'];
const deletion = { ...refused('a deletion', 405, { method: 'DELETE' }), allow };
const creation = { ...refused('a creation', 405, { method: 'POST', body: {} }), allow };

export const businessAttributes: readonly Row[] = [
  {
    ...queries,
    path: '/metadata/business-attributes',
    examples: {
      'answers all there are': () => ({ answers: { status: 200, body: [mediaType, unmapped] } }),
    },
    refusals: [deletion, creation, { ...refused('a replacement', 405, { method: 'PUT' }), allow }],
  },
  {
    ...queries,
    path: '/metadata/business-attributes/{name}',
    values: { name: 'MediaType' },
    examples: {
      'answers the one of that name': () => ({ answers: { status: 200, body: mediaType } }),
      'answers one that nothing is mapped to': () => ({
        values: { name: 'Reason' },
        answers: { status: 200, body: unmapped },
      }),
    },
    refusals: [
      refused('a name that none has', 404, { values: { name: 'Unheard' } }),
      deletion,
      { ...refused('a replacement', 405, { method: 'PUT', body: {} }), allow },
    ],
  },
  {
    ...queries,
    path: '/metadata/business-attributes',
    examples: {
      'answers the one that a field is mapped to': () => ({
        query: '?cv-attribute=Service.media_type',
        answers: { status: 200, body: mediaType },
      }),
    },
    refusals: [
      refused('a field that is not mapped', 404, { query: '?cv-attribute=Service.service_type' }),
      badQuery('?cv-attribute=Service.customer_id', { path: 'cv-attribute', allowed: mappable }),
      badQuery('?cv-attribute=media_type', { path: 'cv-attribute', allowed: mappable }),
    ],
  },
];
