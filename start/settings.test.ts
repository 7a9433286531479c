/** Settings of `npm start`: what is left out gets a default, what is wrong gets one line that names the variable. */
import { describe, expect, it } from "vitest";
import { readSettings } from "./settings.mjs";
import { StartError } from "./start-error.mjs";

describe("settings", () => {
  it("without an environment everything is local", () => {
    expect(readSettings({})).toEqual({
      host: "localhost",
      bindAddresses: ["127.0.0.1", "::1"],
      relayBindAddress: "127.0.0.1",
      port: 8080,
      rtmpPort: undefined,
      icecastPort: 0,
      allowedTargets: [],
      retention: {},
      relayPort: 4433,
      relayTcpPort: 4433,
      relayPublicUrl: undefined,
      relayTcpPublicUrl: undefined,
      relayPublicHost: "127.0.0.1",
      stateFolder: ".tributary",
    });
    expect(readSettings({ PORT: "", RELAY_PORT: "", HOST: "", RELAY_PUBLIC_URL: "" })).toEqual(
      readSettings({}),
    );
  });

  it("takes ports, hosts and the public URL", () => {
    const settings = readSettings({
      PORT: "0",
      RELAY_PORT: "14433",
      HOST: "0.0.0.0",
      RELAY_PUBLIC_URL: "https://127.0.0.1:15433",
    });
    expect(settings.port).toBe(0);
    expect(settings.relayPort).toBe(14433);
    expect(settings.bindAddresses).toEqual(["0.0.0.0"]);
    expect(settings.relayPublicUrl).toBe("https://127.0.0.1:15433/");
    expect(settings.relayPublicHost).toBe("127.0.0.1");
    const kept = readSettings({ BRIDGE_KEEP_DAYS: "30", BRIDGE_KEEP_BYTES: "500000000000" });
    expect(kept.retention).toEqual({ maxDays: 30, maxBytes: 500_000_000_000 });
  });

  it("takes off for a port of the relay, and has the TCP port follow the other", () => {
    expect(readSettings({ RELAY_PORT: "14433" }).relayTcpPort).toBe(14433);
    expect(readSettings({ RELAY_PORT: "off" })).toMatchObject({ relayPort: undefined, relayTcpPort: 4433 });
    expect(readSettings({ RELAY_TCP_PORT: "off" }).relayTcpPort).toBe(undefined);
  });

  it.each([
    ["::1", "[::1]"],
    ["[::1]", "[::1]"],
    ["10.1.2.3", "10.1.2.3"],
    ["media.example.org", "media.example.org"],
  ])("HOST=%s is what browsers are told", (host, told) => {
    expect(readSettings({ HOST: host }).relayPublicHost).toBe(told);
  });

  it.each([
    ["PORT", "eighty"],
    ["PORT", "65536"],
    ["PORT", "-1"],
    ["PORT", "80.5"],
    ["RELAY_PORT", "1e3"],
    ["RELAY_PORT", " 4433"],
    ["RELAY_TCP_PORT", "no"],
    ["RELAY_TCP_PUBLIC_URL", "http://relay.example.org"],
    ["HOST", "http://localhost"],
    ["HOST", "a b"],
    ["HOST", `${"a".repeat(300)}`],
    ["RELAY_PUBLIC_URL", "127.0.0.1:15433"],
    ["BRIDGE_KEEP_DAYS", "0"],
    ["BRIDGE_KEEP_DAYS", "a week"],
    ["BRIDGE_KEEP_BYTES", "10GB"],
    ["RELAY_PUBLIC_URL", "http://127.0.0.1:15433"],
    ["RELAY_PUBLIC_URL", "https://user@example.org"],
    ["RELAY_PUBLIC_URL", "https://example.org/?a=b"],
  ])("%s=%s is refused in one line", (name, value) => {
    let message = "";
    try {
      readSettings({ [name]: value });
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      message = error.message;
    }
    expect(message).toContain(name);
    expect(message).toMatch(/: use /);
    expect(message).not.toContain("\n");
    expect(message.length).toBeLessThan(250);
  });
});
