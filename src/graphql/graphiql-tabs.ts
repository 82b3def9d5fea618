/** What GraphiQL opens with. Every tab answers something over the demo data. */
export const tabs: readonly string[] = [
  `# A caller turns out to be a customer: the service goes
# to them, with what is known by now.
mutation AssociateService {
  associateService(
    input: {
      serviceId: "1500"
      customerId: "0004Va58A92T0018"
      timestamp: "2009-05-12T12:05:12.145Z"
      reason: "identified by the agent"
      interactionId: "123ABCAADFJ1259ACF"
      mediaType: 1
      resourceType: 2
      resourceId: 5005
      disposition: 10
      extensions: [
        {
          schemaName: "Feedback"
          value: { FeedbackType: "survey", rating: 7, notes: "warm welcome" }
        }
        {
          schemaName: "Satisfaction"
          value: [
            { rating: 2, pertinence: 8, useful: true, place: "Lisbon" }
            { rating: 9, pertinence: 5, useful: false, place: "Porto" }
          ]
        }
      ]
    }
  ) {
    __typename
    ... on AssociateServicePayload {
      service {
        id
        version
        customerId
        disposition
        extensions {
          schemaName
          value
        }
      }
      association {
        fromCustomerId
        toCustomerId
        reason
        occurredAt
      }
    }
    ... on Error {
      code
      message
    }
    ... on Invalid {
      faults {
        path
        message
        allowed
      }
    }
  }
}
`,
  `# One service, with its extensions and the history of its owners.
query Service {
  service(id: "1500") {
    id
    version
    status
    customerId
    contactKey
    serviceType
    disposition
    started {
      timestamp
      interactionId
      mediaType
      resourceType
      resourceId
    }
    completed {
      timestamp
    }
    extensions {
      schemaName
      value
      schema {
        type
      }
    }
    associations {
      nodes {
        version
        kind
        fromCustomerId
        toCustomerId
        reason
        occurredAt
      }
    }
  }
}
`,
  `# The screen pop: what is this customer in the middle of?
query ScreenPop {
  customer(id: "0004Va58A92T0001") {
    id
    services(status: ACTIVE, last: 10) {
      nodes {
        id
        serviceType
        contactKey
        started {
          timestamp
          mediaType
        }
        extensions {
          schemaName
          value
        }
      }
      pageInfo {
        hasPreviousPage
        startCursor
      }
    }
  }
}
`,
  `# What has been done of a service, and what is under way: its states and tasks.
query StatesAndTasks {
  customer(id: "0004Va58A92T0001") {
    services(status: ACTIVE, last: 1) {
      nodes {
        id
        version
        states {
          id
          stateType
          status
          duration
          tasks(status: ACTIVE) {
            id
            taskType
            started {
              timestamp
            }
          }
        }
      }
    }
  }
}
`,
  `# A new phase of service 1500: the caller waits for an agent.
mutation StartState {
  startState(input: { serviceId: "1500", stateType: 4, estDuration: 120 }) {
    __typename
    ... on StartStatePayload {
      state {
        id
        number
        stateType
        started {
          timestamp
        }
      }
      service {
        version
      }
    }
    ... on Error {
      code
      message
    }
    ... on Invalid {
      faults {
        path
        message
        allowed
      }
    }
  }
}
`,
  `# Services of a phone number that no customer is known for yet.
query AnonymousServices {
  anonymousServices(contactKey: "+33145678900") {
    nodes {
      id
      status
      serviceType
      started {
        timestamp
        interactionId
      }
    }
  }
}
`,
  `# A new extension: from now on services can carry its records.
mutation CreateExtensionSchema {
  createExtensionSchema(
    input: {
      name: "Delivery"
      type: MULTI_VALUED
      attributes: [
        { name: "parcel", type: STRING, length: 32, mandatory: true, unique: true }
        { name: "dueOn", type: DATE }
        { name: "insured", type: BOOLEAN, default: false }
      ]
    }
  ) {
    __typename
    ... on CreateExtensionSchemaPayload {
      extensionSchema {
        name
        type
        attributes {
          name
          type
          mandatory
        }
        unique
      }
    }
    ... on Error {
      code
      message
    }
    ... on Invalid {
      faults {
        path
        message
        allowed
      }
    }
  }
}
`,
  `# All services, the newest last. Go on with after: "<endCursor>".
query Services {
  services(status: ACTIVE, first: 20) {
    nodes {
      id
      status
      customerId
      contactKey
      serviceType
      started {
        timestamp
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,
];
