// Makes ../static/graphiql/*.gz and LICENSES.txt: `npm install && node build.mjs` in this folder.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const to = join(import.meta.dirname, "../static/graphiql");
const loader = { ".ttf": "dataurl", ".woff": "dataurl", ".woff2": "dataurl" };
const made = await build({
  entryPoints: {
    graphiql: "./main.js",
    "editor.worker": "monaco-editor/esm/vs/editor/editor.worker.js",
    "json.worker": "monaco-editor/esm/vs/language/json/json.worker.js",
    "graphql.worker": "monaco-graphql/esm/graphql.worker.js",
  },
  bundle: true, minify: true, format: "iife", legalComments: "none", loader, metafile: true, write: false, outdir: to,
  absWorkingDir: import.meta.dirname, define: { "process.env.NODE_ENV": '"production"' },
});
mkdirSync(to, { recursive: true });
for (const { path, contents } of made.outputFiles) writeFileSync(`${path}.gz`, gzipSync(contents, { level: 9 }));

const homes = new Set(Object.keys(made.metafile.inputs).map((one) => one.match(/^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//)?.[1]));
const said = [...homes].filter(Boolean).sort().map((home) => {
  const at = join(import.meta.dirname, home);
  const { name, version, license } = JSON.parse(readFileSync(join(at, "package.json"), "utf-8"));
  const file = readdirSync(at).find((one) => /^licen[cs]e/i.test(one));
  return `${name} ${version} (${license})\n\n${file ? readFileSync(join(at, file), "utf-8").trim() : ""}\n`;
});
writeFileSync(join(to, "LICENSES.txt"), said.join("\n----\n\n"));
