// The API page: runs a query as whoever is signed in, and lists the schema as the server tells it.
const at = (id) => document.getElementById(id);
const ask = async (query, variables) => {
  const reply = await fetch("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json", "x-form-token": at("run").dataset.token },
    body: JSON.stringify({ query, variables }),
  });
  return reply.json();
};

const run = async () => {
  let variables;
  try {
    variables = JSON.parse(at("variables").value || "{}");
  } catch (error) {
    at("answer").textContent = `Variables are not JSON: ${error.message}`;
    return;
  }
  const started = performance.now();
  const said = await ask(at("query").value, variables);
  at("took").textContent = `${Math.round(performance.now() - started)} ms`;
  at("answer").textContent = JSON.stringify(said, null, 2);
};

const typed = (type) => (type.ofType ? (type.kind === "LIST" ? `[${typed(type.ofType)}]` : `${typed(type.ofType)}!`) : type.name);
const TYPE = "kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";
let lines = [];

const show = () => {
  const wanted = at("find").value.trim().toLowerCase();
  const found = lines.filter((line) => !wanted || line.text.toLowerCase().includes(wanted)).slice(0, 300);
  at("schema").replaceChildren(...found.map((line) => {
    const one = document.createElement(line.head ? "h3" : "p");
    one.textContent = line.text;
    one.title = line.said || "";
    return one;
  }));
};

const learn = async () => {
  const query = `{ __schema { types { name kind description fields { name description type { ${TYPE} } args { name type { ${TYPE} } } } } } }`;
  const { data } = await ask(query, {});
  if (!data) return;
  const order = ["Query", "Mutation"];
  const types = data.__schema.types.filter((type) => type.fields && !type.name.startsWith("__"));
  types.sort((a, b) => (order.indexOf(b.name) + 1 && 2 - order.indexOf(b.name)) - (order.indexOf(a.name) + 1 && 2 - order.indexOf(a.name)) || a.name.localeCompare(b.name));
  for (const type of types) {
    lines.push({ head: true, text: type.name, said: type.description });
    for (const field of type.fields) {
      const args = field.args.length ? `(${field.args.map((arg) => `${arg.name}: ${typed(arg.type)}`).join(", ")})` : "";
      lines.push({ text: `${field.name}${args}: ${typed(field.type)}`, said: field.description });
    }
  }
  show();
};

at("run").addEventListener("click", run);
at("find").addEventListener("input", show);
at("samples").addEventListener("click", (event) => {
  const text = event.target.dataset.query;
  if (text) { at("query").value = text; run(); }
});
document.addEventListener("keydown", (event) => { if ((event.ctrlKey || event.metaKey) && event.key === "Enter") run(); });
learn();
run();
