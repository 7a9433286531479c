/** Two pages in a call whose way to the relay is a UDP proxy, with what happens in the room written down in each. */
import { UdpProxy } from "../udp-proxy/udp-proxy.ts";
import { openBrowser, type TestBrowser } from "./browser.ts";
import { RoomPage } from "./room-page.ts";
import { testClip } from "./test-clip.ts";
import { freeUdpPort, type RunningTributary, startTributary } from "./tributary.ts";

declare global {
  interface Window {
    /** What happened in the room, in order. */
    happenings: string[];
  }
}

export class ProxiedCall {
  readonly ann: RoomPage;
  readonly bob: RoomPage;
  readonly relayPort: number;
  /** May be replaced by another one on the same port. */
  proxy: UdpProxy;
  readonly #tributary: RunningTributary;
  readonly #browser: TestBrowser;

  private constructor(
    [ann, bob]: [RoomPage, RoomPage],
    [relayPort, proxy]: [number, UdpProxy],
    [tributary, browser]: [RunningTributary, TestBrowser],
  ) {
    this.ann = ann;
    this.bob = bob;
    this.relayPort = relayPort;
    this.proxy = proxy;
    this.#tributary = tributary;
    this.#browser = browser;
  }

  /** Resolves when both see each other. */
  static async open(room: string, ttlSeconds = 3_600): Promise<ProxiedCall> {
    const relayPort = await freeUdpPort();
    const proxy = await UdpProxy.listen({ port: 0, targetPort: relayPort, seed: 1 });
    const env = { RELAY_PORT: String(relayPort), RELAY_PUBLIC_URL: `https://127.0.0.1:${proxy.port}` };
    const [tributary, browser] = await Promise.all([startTributary({ env }), openBrowser(testClip())]);
    const join = async (identity: string): Promise<RoomPage> => {
      const token = await tributary.mint(room, identity, undefined, ttlSeconds);
      const one = await RoomPage.join(await browser.newPage(), tributary.url, room, token);
      await one.page.evaluate(noteHappenings);
      return one;
    };
    const [ann, bob] = [await join("ann"), await join("bob")];
    await Promise.all([ann.seeCamera("bob"), bob.seeCamera("ann")]);
    await Promise.all([ann.firstPicture("bob"), bob.firstPicture("ann")]);
    return new ProxiedCall([ann, bob], [relayPort, proxy], [tributary, browser]);
  }

  get pages(): RoomPage[] {
    return [this.ann, this.bob];
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.#tributary.stop();
    await this.proxy.close();
  }
}

/** Runs in the page. */
function noteHappenings(): void {
  const { room } = window.tributary;
  window.happenings = [];
  room?.on("state", ({ state }) => window.happenings.push(state));
  for (const name of ["participant-joined", "participant-left"] as const)
    room?.on(name, ({ participant }) => window.happenings.push(`${name} ${participant.identity}`));
  for (const name of ["track-published", "track-unpublished"] as const)
    room?.on(name, ({ track }) => window.happenings.push(`${name} ${track.source}`));
}
