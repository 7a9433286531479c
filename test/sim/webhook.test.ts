/** A relay's events through a gateway to an application, with real signatures: what the relay makes of each answer. */
import { describe, expect, it } from "vitest";
import { httpPost } from "../../core/directory/etcd/http-post.ts";
import { MemoryDirectory } from "../../core/directory/memory.ts";
import { createGateway } from "../../gateway/app.ts";
import { readGatewayConfig } from "../../gateway/config.ts";
import { relayNamed } from "../../gateway/gateway.fixture.ts";
import { generateTicketKey } from "../../gateway/ticket-key.ts";
import { eventPost } from "../../relay/events/event-post.ts";
import { eventOf } from "../../relay/events/happening.ts";
import { makeSigningKeys } from "../../relay/tree/signing-keys.ts";
import { VirtualClock } from "./virtual-clock.ts";

describe("events from a relay to the application", () => {
  it("are delivered, to be tried again, or refused", async () => {
    const clock = new VirtualClock();
    const directory = new MemoryDirectory(clock);
    const keys = await makeSigningKeys(clock);
    const registration = await directory.register(relayNamed("r1", { linkKey: keys.linkKey }), 10_000);
    const log: string[] = [];
    const taken: string[] = [];
    let status = 204;
    const gatewayWith = async (settings: Record<string, string>) =>
      createGateway({
        directory,
        clock,
        config: readGatewayConfig(settings),
        ticketKey: await generateTicketKey(),
        fetch: async (_url, init) => {
          taken.push(String(init?.body));
          return new Response(null, { status });
        },
        log: () => undefined,
        guests: false,
        version: "0.0.0",
        clientAddress: () => undefined,
      });
    let gateway = await gatewayWith({
      TRIBUTARY_WEBHOOK_URL: "https://app.example.org/",
      TRIBUTARY_WEBHOOK_SECRET: "a-webhook-secret-of-at-least-32-characters",
    });
    const asked: string[] = [];
    const post = httpPost(
      async (url, init) => {
        asked.push(url);
        return gateway.request(url, init as RequestInit);
      },
      () => new AbortController(),
    );
    const gatewayUrl = "https://gateway.example.org/base";
    const deliver = eventPost({
      gatewayUrl: "https://gateway.example.org",
      relayId: "r1",
      keys,
      clock,
      post,
      log: (line) => log.push(line),
    });
    const event = await eventOf({
      type: "room-started",
      room: "bühne",
      atUs: clock.nowUs(),
      about: ["ann", 1],
    });

    expect(await deliver(event)).toBe("delivered");
    expect(asked).toEqual(["https://gateway.example.org/relay/events"]);
    expect(taken).toEqual([JSON.stringify(event)]);
    status = 500;
    expect(await deliver(event)).toBe("again");
    expect(log).toEqual(["the gateway does not take room events: it answered room-started with status 502"]);
    await registration.end();
    expect(await deliver(event)).toBe("again");
    await directory.register(relayNamed("r1", { linkKey: keys.linkKey }), 10_000);
    gateway = await gatewayWith({});
    expect(await deliver(event)).toBe("refused");
    expect(log).toHaveLength(1);

    const below = eventPost({ gatewayUrl, relayId: "r1", keys, clock, post, log: () => undefined });
    expect(await below(event)).toBe("refused");
    expect(asked.at(-1)).toBe("https://gateway.example.org/base/relay/events");
    const unreachable = httpPost(
      async () => {
        throw new TypeError("connection refused");
      },
      () => new AbortController(),
    );
    const lost = eventPost({
      gatewayUrl,
      relayId: "r1",
      keys,
      clock,
      post: unreachable,
      log: () => undefined,
    });
    expect(await lost(event)).toBe("again");
  });
});
