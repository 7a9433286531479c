/** Files in deploy/ are well formed, and what they name exists: programs, stages, settings. The dashboard has a test of its own beside. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../../start/dependencies.mjs";
import { projectFiles } from "../project-files.mjs";
import { readYaml } from "./read-yaml.ts";

const textOf = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const isThere = (path: string): boolean => existsSync(join(ROOT, path));
const DEPLOY = projectFiles().filter((path) => path.startsWith("deploy/"));
const UNITS = DEPLOY.filter((path) => path.endsWith(".service"));
const DRAIN_SECONDS = 30;

/** Every setting that the product reads. */
const settingsText = projectFiles()
  .filter((path) => /^(relay|gateway|core|start)\/.*\.(ts|mjs)$/.test(path) && !/test\.ts$/.test(path))
  .map(textOf)
  .join("\n");

describe.each([...DEPLOY, "docs/operating.md", "docs/gateway.md"])("%s", (path) => {
  it("names settings that exist", () => {
    const names = new Set(textOf(path).match(/\b(RELAY|TRIBUTARY|BRIDGE)_[A-Z_]*[A-Z]\b/g));
    for (const name of names) expect(settingsText, name).toContain(name);
  });
});

describe("Dockerfile", () => {
  const instructions = textOf("deploy/Dockerfile")
    .replaceAll(/\\\n/g, " ")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => /^([A-Z]+) (.*)$/.exec(line)?.slice(1) ?? ["", line]);
  const stages: { name: string; from: string; lines: [string, string][] }[] = [];
  for (const [word = "", rest = ""] of instructions) {
    const [, from = "", name = ""] = (word === "FROM" && /^(\S+) AS (\S+)$/.exec(rest)) || [];
    if (word === "FROM") stages.push({ name, from, lines: [] });
    else stages.at(-1)?.lines.push([word, rest]);
  }

  it("has known instructions only", () => {
    const known = /^(FROM|WORKDIR|COPY|RUN|ENV|USER|STOPSIGNAL|EXPOSE|HEALTHCHECK|CMD)$/;
    for (const [word] of instructions) expect(word).toMatch(known);
  });

  it("copies what is there", () => {
    for (const { lines } of stages) {
      for (const [word, rest] of lines) {
        if (word !== "COPY" || rest.startsWith("--from=")) continue;
        for (const source of rest.split(" ").slice(0, -1)) expect(isThere(source), source).toBe(true);
      }
    }
  });

  it.each(["relay", "gateway", "bridge"])(
    "%s runs a program of ours, not as root, and says how it is",
    (name) => {
      const stage = stages.find((one) => one.name === name)!;
      const base = stages.find((one) => one.name === stage.from)!;
      expect(base.lines.findLast(([word]) => word === "USER")?.[1]).toBe("tributary");
      expect(stage.lines.some(([word]) => word === "USER")).toBe(false);
      const health = stage.lines.find(([word]) => word === "HEALTHCHECK")?.[1] ?? "";
      expect(JSON.parse(health.slice(health.indexOf("[")))).toHaveLength(3);
      const command = JSON.parse(stage.lines.find(([word]) => word === "CMD")?.[1] ?? "") as string[];
      for (const word of command.filter((one) => /\.(ts|json)$/.test(one)))
        expect(isThere(word), word).toBe(true);
    },
  );
});

describe("compose.yaml", () => {
  interface Service {
    build?: { context: string; dockerfile: string; target: string };
    depends_on?: string[];
    environment?: Record<string, string>;
    ports?: string[];
    stop_grace_period?: string;
    read_only?: string;
    volumes?: string[];
  }
  const file = readYaml(textOf("deploy/compose.yaml")) as unknown as {
    services: Record<string, Service>;
  };
  const services = Object.entries(file.services);

  it("has etcd, two gateways, three relays and a bridge", () => {
    const names = ["etcd", "gateway1", "gateway2", "relay1", "relay2", "relay3", "bridge1"];
    expect(services.map(([name]) => name)).toEqual(names);
  });

  it("builds images that the Dockerfile makes, and depends on services that are there", () => {
    for (const [name, { build, depends_on: before = [] }] of services) {
      for (const other of before) expect(Object.keys(file.services)).toContain(other);
      if (build === undefined) continue;
      expect(build.context).toBe("..");
      expect(isThere(build.dockerfile)).toBe(true);
      expect(textOf(build.dockerfile)).toContain(` AS ${build.target}\n`);
      expect(name).toMatch(new RegExp(`^${build.target}\\d$`));
    }
  });

  it("gives each relay its own name and ports, a route from the others, and the time to drain", () => {
    const published = services.flatMap(([, { ports = [] }]) =>
      ports.map((port) => port.replace(/:\d+(\/udp)?$/, "")),
    );
    expect(new Set(published).size).toBe(published.length);
    for (const [name, { environment = {}, ports = [], stop_grace_period: grace, read_only }] of services) {
      if (!name.startsWith("relay")) continue;
      expect(environment.RELAY_ID).toBe(name);
      expect(environment.RELAY_OPERATIONS_URL).toBe(`http://${name}:9090/`);
      const [, port] =
        /^https:\/\/\$\{PUBLIC_HOST:-localhost\}:(\d+)\/$/.exec(environment.RELAY_PUBLIC_URL!) ?? [];
      expect(ports).toContain(`${port}:4433/udp`);
      const routes = JSON.parse(
        environment.RELAY_ROUTES!.replaceAll(/\$\{PUBLIC_HOST:-localhost\}/g, "localhost"),
      );
      expect(routes[`https://localhost:${port}`]).toBe(`https://${name}:4433`);
      expect(Number.parseInt(grace ?? "", 10)).toBeGreaterThan(Number(environment.RELAY_DRAIN_SECONDS));
      expect(read_only).toBe("true");
    }
  });
});

describe.each(UNITS)("%s", (path) => {
  const sections = new Map<string, string[]>();
  let section = "";
  for (const line of textOf(path)
    .split("\n")
    .filter((one) => one !== "" && !one.startsWith("#"))) {
    if (line.startsWith("[")) section = line;
    else sections.set(section, [...(sections.get(section) ?? []), line]);
  }
  const service = sections.get("[Service]") ?? [];
  const settingOf = (name: string): string | undefined =>
    service.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1);

  it("is sections of settings", () => {
    expect([...sections.keys()]).toEqual(["[Unit]", "[Service]", "[Install]"]);
    for (const line of [...sections.values()].flat()) expect(line).toMatch(/^[A-Z][A-Za-z]+=\S/);
  });

  it("runs a program of ours as nobody in particular", () => {
    const words = settingOf("ExecStart")!.split(" ");
    expect(words[0]).toBe(`${settingOf("WorkingDirectory")}/node_modules/deno/deno`);
    for (const word of words.filter((one) => /\.(ts|json)$/.test(one)))
      expect(isThere(word), word).toBe(true);
    for (const name of ["DynamicUser", "NoNewPrivileges", "ProtectHome", "PrivateDevices", "LockPersonality"])
      expect(settingOf(name)).toBe("yes");
    expect(settingOf("ProtectSystem")).toBe("strict");
  });

  it("gives it the time to end", () => {
    const seconds = Number(settingOf("TimeoutStopSec"));
    expect(seconds).toBeGreaterThan(path.includes("relay") ? DRAIN_SECONDS : 5);
  });
});

describe("the reader of YAML", () => {
  it.each([
    ["a: 1\n  b: 2\n", /^line 2 .* is indented as nothing before it/],
    ["a: *b\n", /names \*b/],
    ["a: 1\na: 2\n", /says a twice/],
    ["a: {b: 1}\n", /is more than this reads/],
    ["only words\n", /is no `key: value`/],
  ])("refuses %j", (text, why) => expect(() => readYaml(text)).toThrow(why));
});
