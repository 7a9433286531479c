/** The browsable page of the API: the OpenAPI document as plain HTML, made here, with nothing loaded from elsewhere. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import { PROBLEMS } from "./problem.ts";

type Document = ReturnType<OpenAPIHono["getOpenAPI31Document"]>;
interface Operation {
  summary?: string;
  description?: string;
  security?: Record<string, string[]>[];
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: unknown }[];
  requestBody?: { content: Record<string, { schema?: unknown }> };
  responses?: Record<string, { description: string; content?: Record<string, { schema?: unknown }> }>;
}

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --accent: light-dark(#0b57d0, #8ab4f8); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
a { color: var(--accent); }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; padding: .5rem 1rem; }
summary { cursor: pointer; overflow-wrap: anywhere; }
code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { background: var(--soft); padding: .75rem; border-radius: .5rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); }
.method { font-weight: 700; color: var(--accent); }
:target { background: var(--soft); }
`;

export function docsPage(document: Document): string {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Operation>).map(([method, operation]) =>
      operationHtml(method, path, operation),
    ),
  );
  const schemas = Object.entries(document.components?.schemas ?? {}).map(
    ([name, schema]) =>
      `<details id="schema-${escapeHtml(name)}"><summary><code>${escapeHtml(name)}</code></summary>${json(schema)}</details>`,
  );
  const problems = Object.entries(PROBLEMS).map(
    ([name, { status, title }]) =>
      `<tr id="${name}"><td><code>${name}</code></td><td>${status}</td><td>${escapeHtml(title)}</td></tr>`,
  );
  const title = escapeHtml(document.info.title);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><style>${STYLE}</style></head><body>
<h1>${title} <small>${escapeHtml(document.info.version)}</small></h1>
<p>${escapeHtml(document.info.description ?? "")} The same for programs: <a href="/v1/openapi.json">openapi.json</a>.</p>
<h2>Calls</h2>${operations.join("\n")}
<h2>Problems</h2><table><thead><tr><th>type</th><th>status</th><th>meaning</th></tr></thead>
<tbody>${problems.join("\n")}</tbody></table>
<h2>Schemas</h2>${schemas.join("\n")}
</body></html>`;
}

function operationHtml(method: string, path: string, operation: Operation): string {
  const keys = (operation.security ?? []).flatMap((entry) => Object.keys(entry));
  const parts = [
    `<p>${escapeHtml(operation.description ?? "")}</p>`,
    keys.length > 0
      ? `<p>Authorisation: ${keys.map((key) => `<code>${escapeHtml(key)}</code>`).join(" or ")}</p>`
      : "",
    parametersHtml(operation.parameters ?? []),
    bodyHtml("Body", operation.requestBody?.content),
    ...Object.entries(operation.responses ?? {}).map(([status, response]) =>
      Number(status) < 400
        ? `<h4>${status} ${escapeHtml(response.description)}</h4>${bodyHtml("", response.content)}`
        : `<p><b>${status}</b> ${escapeHtml(response.description)}</p>`,
    ),
  ];
  return `<details><summary><span class="method">${method.toUpperCase()}</span> <code>${escapeHtml(path)}</code> ${escapeHtml(
    operation.summary ?? "",
  )}</summary>${parts.join("\n")}</details>`;
}

function parametersHtml(parameters: NonNullable<Operation["parameters"]>): string {
  if (parameters.length === 0) return "";
  const rows = parameters.map(
    (parameter) =>
      `<tr><td><code>${escapeHtml(parameter.name)}</code></td><td>${escapeHtml(parameter.in)}${
        parameter.required ? ", required" : ""
      }</td><td>${escapeHtml(parameter.description ?? "")}</td></tr>`,
  );
  return `<table><tbody>${rows.join("")}</tbody></table>`;
}

function bodyHtml(heading: string, content: Record<string, { schema?: unknown }> | undefined): string {
  return Object.values(content ?? {})
    .map(({ schema }) => {
      const name = /^#\/components\/schemas\/(\w+)$/.exec((schema as { $ref?: string })?.$ref ?? "")?.[1];
      const shown = name ? `<a href="#schema-${name}">${name}</a>` : json(schema);
      return `<p>${heading} ${shown}</p>`;
    })
    .join("");
}

function json(value: unknown): string {
  return `<pre>${escapeHtml(JSON.stringify(value, undefined, 2) ?? "")}</pre>`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
