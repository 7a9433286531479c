/** What a gateway does over HTTP, whichever runtime it stands on: started as in production, with a real etcd. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StartGateway } from "../gateway-process.ts";
import { bridgeCases } from "./bridge-cases.ts";
import { eventCases } from "./event-cases.ts";
import { hostileCases } from "./hostile-cases.ts";
import { joinCases } from "./join-cases.ts";
import { roomCases } from "./room-cases.ts";
import { coverageCase, limitCases, serviceCases } from "./service-cases.ts";
import { Stage } from "./stage.contract.ts";

/** `etcdPaths`: all that the gateway needs of etcd. */
export function gatewayContract(runtime: string, start: StartGateway, etcdPaths?: readonly string[]): void {
  describe(`gateway on ${runtime}`, () => {
    const stage = new Stage();
    beforeAll(() => stage.open(start, etcdPaths), 90_000);
    afterAll(() => stage.close());
    serviceCases(stage);
    joinCases(stage);
    roomCases(stage);
    bridgeCases(stage);
    eventCases(stage);
    hostileCases(stage);
    coverageCase(stage);
    if (etcdPaths) {
      test("nothing else of etcd was asked for", () => expect(stage.etcdDoor?.refused).toEqual([]));
    }
    limitCases(stage);
  });
}
