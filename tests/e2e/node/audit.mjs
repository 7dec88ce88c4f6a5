// The audit of GraphQL over HTTP against URL with KEY; each check and how it went, as JSON.
import { auditServer } from "graphql-http";

const [url, key] = process.argv.slice(2);
const fetchFn = (address, init) =>
  fetch(address, { ...init, headers: { ...init?.headers, authorization: `Bearer ${key}` } });
const results = await auditServer({ url, fetchFn });
console.log(JSON.stringify(results.map(({ name, status, reason }) => ({ name, status, reason }))));
