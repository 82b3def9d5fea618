/** The published example of associating (legacy contract, what associate does). */
export const publishedAssociation = {
  timestamp: '2009-05-12T12:05:12.145Z',
  interaction_id: '123ABCAADFJ1259ACF',
  media_type: 1,
  resource_id: 5005,
  resource_type: 2,
  disposition: 10,
  Feedback: {
    FeedbackType: 'survey',
    rating: 7,
    notes: 'warm welcome at frontdesk, thanks for the nice trip',
  },
  Satisfaction: [
    { rating: 2, pertinence: 8, useful: true, place: 'Terranova mexico resort' },
    { rating: 8, pertinence: 4, useful: false, place: 'Fancy resort Paris' },
  ],
};

/** The schema that the example takes for given. */
export const satisfactionSchema = {
  name: 'Satisfaction',
  type: 'multi-valued',
  attributes: [
    { name: 'rating', type: 'integer' },
    { name: 'pertinence', type: 'integer' },
    { name: 'useful', type: 'boolean' },
    { name: 'place', type: 'string', length: 64, mandatory: true },
  ],
  unique: ['place'],
};
