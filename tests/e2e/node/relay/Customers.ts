import { graphql } from "relay-runtime";

export const query = graphql`
  query CustomersQuery($first: Int!, $after: String) {
    ...Customers_list @arguments(first: $first, after: $after)
  }
`;

export const list = graphql`
  fragment Customers_list on Query
  @argumentDefinitions(first: { type: "Int!" }, after: { type: "String" })
  @refetchable(queryName: "CustomersMoreQuery") {
    accounts(first: $first, after: $after) @connection(key: "Customers_accounts") {
      edges {
        node {
          id
          label
        }
      }
    }
  }
`;

export const one = graphql`
  fragment Customers_one on Account @refetchable(queryName: "CustomersOneQuery") {
    id
    label
    version
  }
`;
