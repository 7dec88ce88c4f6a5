// Every generated operation, asked by Apollo Client; what came back, as JSON.
import { ApolloClient, HttpLink, InMemoryCache } from "@apollo/client";
import * as generated from "./gen/graphql.js";

const [uri, key] = process.argv.slice(2);
const link = new HttpLink({ uri, headers: { authorization: `Bearer ${key}` } });
const client = new ApolloClient({ link, cache: new InMemoryCache() });
const answers: Record<string, unknown> = {};
for (const [name, query] of Object.entries(generated)) {
  if (name.endsWith("Document")) answers[name] = (await client.query({ query: query as never })).data;
}
console.log(JSON.stringify(answers));
