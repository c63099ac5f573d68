// Checks dashboards against the schema that Grafana publishes with its release: the types of
// @grafana/schema, turned into JSON Schema. Usage: node check.mjs DASHBOARD.json …
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import Ajv from "ajv";
import { createGenerator } from "ts-json-schema-generator";

const types = path.join(
  path.dirname(createRequire(import.meta.url).resolve("@grafana/schema/package.json")),
  "dist/types/raw",
);

const ajv = new Ajv({ allErrors: true, strict: false });

function validator(file, type, change = (schema) => schema) {
  const config = { path: path.join(types, file), type, skipTypeCheck: true };
  return ajv.compile(change(createGenerator(config).createSchema(type)));
}

const dashboard = validator("dashboard/x/types.gen.d.ts", "Dashboard", (schema) => {
  // Fields of the data source itself stand beside those of the schema: `expr`, `step`, …
  schema.definitions.AnnotationQuery.additionalProperties = true;
  return schema;
});

// What a panel does not say, Grafana fills in with the plugin's defaults.
const optional = (type) => (schema) => {
  delete schema.definitions[type].required;
  return schema;
};
const plugins = new Map();

function plugin(name) {
  if (!plugins.has(name)) {
    const file = `composable/${name}/panelcfg/x/types.gen.d.ts`;
    const source = readFileSync(path.join(types, file), "utf8");
    const find = (type) =>
      new RegExp(`export (interface|type) ${type}\\b`).test(source) && validator(file, type, optional(type));
    plugins.set(name, { Options: find("Options"), FieldConfig: find("FieldConfig") });
  }
  return plugins.get(name);
}

const problems = [];

function judge(where, check, value) {
  if (!check || value === undefined || check(value)) return;
  for (const { instancePath, message, params } of check.errors) {
    problems.push(`${where}${instancePath} ${message} ${JSON.stringify(params)}`);
  }
}

for (const file of process.argv.slice(2)) {
  const found = JSON.parse(readFileSync(file, "utf8"));
  judge(path.basename(file), dashboard, found);
  for (const panel of found.panels.filter((each) => each.type !== "row")) {
    const where = `${path.basename(file)} “${panel.title}”`;
    const { Options, FieldConfig } = plugin(panel.type);
    judge(`${where} options`, Options, panel.options);
    judge(`${where} custom`, FieldConfig, panel.fieldConfig.defaults.custom);
  }
}

for (const problem of problems) console.error(problem);
console.log(`${process.argv.length - 2} dashboards, ${problems.length} problems`);
process.exit(problems.length || process.argv.length < 3 ? 1 : 0);
