// GraphiQL over the session of whoever is signed in, with a tab for each sample query. Nothing comes from elsewhere.
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { GraphiQL } from "graphiql";
import "graphiql/style.css";

const OWN = new Set(["graphql", "json"]);
globalThis.MonacoEnvironment = {
  getWorker: (_id, label) => new Worker(`/static/graphiql/${OWN.has(label) ? label : "editor"}.worker.js`),
};
const at = document.getElementById("graphiql");
const fetcher = async (asked) => {
  const reply = await fetch("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json", "x-form-token": at.dataset.token },
    body: JSON.stringify(asked),
  });
  return reply.json();
};
const tabs = Object.values(JSON.parse(at.dataset.queries)).map((query) => ({ query }));
createRoot(at).render(createElement(GraphiQL, { fetcher, defaultTabs: tabs }));
