import { describe, expect, it } from "vitest";
import { command } from "../rtmp/messages.ts";
import { KEY, Stage } from "./testing/target-stage.ts";

describe("a target that asks to be connected to anew", () => {
  const request = (tcUrl?: string) =>
    command("onStatus", 0, null, [
      {
        level: "status",
        code: "NetConnection.Connect.ReconnectRequest",
        ...(tcUrl === undefined ? {} : { tcUrl }),
      },
    ]);

  it("is, at once, where it says", async () => {
    const stage = new Stage([{}]);
    await stage.play(11_000);
    stage.servers.last.say(request("rtmp://other.example.org:1936/app2"));
    await stage.play(200);
    expect(stage.endpoints.at(-1)).toMatchObject({ port: 1936 });
    expect(stage.servers.last.commandObjects[0]).toMatchObject({ app: "app2" });
    expect(stage.servers.last.commands.at(-1)).toBe(`publish(${KEY}, live)`);
    expect(stage.target.status.state).toBe("running");
    stage.servers.last.reset();
    await stage.play(1_000);
    expect(stage.servers.last.commandObjects[0]).toMatchObject({ tcUrl: "rtmp://live.example.org/app" });
  });

  it("is where it was, when it says nothing or half a URL", async () => {
    const stage = new Stage([{}]);
    await stage.play(11_000);
    stage.servers.last.say(request());
    await stage.play(200);
    expect(stage.servers.last.commandObjects[0]).toMatchObject({ app: "app" });
    await stage.play(11_000);
    stage.servers.last.say(request("/elsewhere"));
    await stage.play(200);
    expect(stage.servers.last.commandObjects[0]).toMatchObject({
      tcUrl: "rtmp://live.example.org/elsewhere",
    });
  });

  it("is not followed into a private network, nor out of TLS", async () => {
    const stage = new Stage([{}], `rtmps://live.example.org/app/${KEY}`);
    await stage.play(11_000);
    stage.servers.last.say(request("rtmps://inside.example.org/app"));
    await stage.play(1_000);
    expect(stage.servers.last.commandObjects[0]).toMatchObject({ tcUrl: "rtmps://live.example.org/app" });
    stage.servers.last.say(request("rtmp://plain.example.org/app"));
    await stage.play(1_000);
    expect(stage.servers.last.commandObjects[0]).toMatchObject({ tcUrl: "rtmps://live.example.org/app" });
    expect(
      stage.endpoints.every((endpoint) => (endpoint as { serverName?: string }).serverName !== undefined),
    ).toBe(true);
  });

  it("may say so as a refusal to connect", async () => {
    const refuse = {
      command: "connect",
      code: "NetConnection.Connect.Rejected",
      description: "full",
    } as const;
    const stage = new Stage([{ refuse: { ...refuse, redirect: "rtmp://second.example.org/app" } }, {}]);
    await stage.play(1_000);
    expect(stage.servers.last.commandObjects[0]).toMatchObject({ tcUrl: "rtmp://second.example.org/app" });
    expect(stage.target.status.state).toBe("running");
  });

  it("cannot keep us going round", async () => {
    const stage = new Stage([{}]);
    for (let i = 0; i < 250; i++) {
      await stage.play(40);
      stage.servers.last?.say(request());
    }
    expect(stage.servers.triedUs.length).toBeLessThan(15);
  });
});
