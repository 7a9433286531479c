/** joinRoom: gateway, worker and sound start at the same time; resolves when the relay has let us in. */
import {
  fetchJoin,
  type GatewayAnswer,
  GatewayError,
  type JoinQuestion,
} from "../../core/participant/joining/gateway-join.ts";
import { AudioOutput } from "../audio/audio-output.ts";
import { roomOfToken } from "../session/token-room.ts";
import type { FromWorker } from "../worker/worker-messages.ts";
import { type JoinOptions, type Room, RoomError } from "./api.ts";
import { LiveRoom } from "./live-room.ts";
import { loadBlockedNetworks, saveBlockedNetworks } from "./network-memory.ts";
import { takeWorker, type WorkerPort } from "./worker-port.ts";

const DEFAULT_PLAYOUT_DELAY = { min: 0, max: 1000 };
const OUTPUT_LATENCY_CHECK_MS = 1_000;

/** Joins the room that the token names. Rejects with RoomError, whose code is the gateway's problem or the relay's close reason. */
export async function joinRoom(options: JoinOptions): Promise<Room> {
  const calledAtMs = performance.timeOrigin + performance.now();
  const gateway = options.gateway ?? globalThis.location.origin;
  const port = takeWorker();
  // Asked first: making the audio graph keeps this thread busy for a while.
  const { token, region } = options;
  const asked = askGateway({ gateway, token, region }, options.signal);
  asked.catch(() => undefined);
  const output = startOutput(port);
  try {
    const answer = await asked;
    const { identity, name, grants } = answer;
    const room = new LiveRoom({ name: answer.room, identity, displayName: name, grants }, port, output);
    const joined = firstJoin(room, port, options);
    port.post({
      type: "start",
      gateway,
      token,
      canRenewToken: options.getToken !== undefined,
      room: answer.room,
      region,
      relays: answer.relays,
      network: answer.network,
      blockedNetworks: loadBlockedNetworks(),
      identity,
      displayName: name,
      autoSubscribe: options.autoSubscribe ?? true,
      playoutDelay: options.playoutDelay ?? DEFAULT_PLAYOUT_DELAY,
      pageTimeOriginMs: performance.timeOrigin,
      calledAtMs,
    });
    await joined;
    return room;
  } catch (error) {
    port.close();
    output?.close().catch(() => undefined);
    if (error instanceof GatewayError) throw new RoomError(error.code, error.message, { cause: error });
    throw error;
  }
}

async function askGateway(
  question: Omit<JoinQuestion, "room">,
  signal: AbortSignal | undefined,
): Promise<GatewayAnswer> {
  const room = roomOfToken(question.token);
  return fetchJoin((url, init) => fetch(url, init), { ...question, room }, signal);
}

/** Sound is started without waiting: a room without it is still a room. */
function startOutput(port: WorkerPort): AudioOutput | undefined {
  if (typeof AudioContext === "undefined" || typeof AudioWorkletNode === "undefined") return undefined;
  const output = new AudioOutput();
  let timer: ReturnType<typeof setInterval> | undefined;
  const tellLatency = (): void => {
    if (output.closed) clearInterval(timer);
    else port.post({ type: "output-latency", latencyUs: output.latencyUs });
  };
  output
    .start()
    .then((speaker) => {
      port.post({ type: "speaker", ...speaker }, [speaker.port]);
      tellLatency();
      timer = setInterval(tellLatency, OUTPUT_LATENCY_CHECK_MS);
    })
    .catch((cause: unknown) => {
      if (output.closed) return;
      const detail = cause instanceof Error ? cause.message : String(cause);
      port.onMessage({ type: "problem", code: "no-sound", message: `Sound could not be started: ${detail}` });
    });
  return output;
}

/** Resolves at the first "connected"; rejects with RoomError when it comes to nothing. */
function firstJoin(
  room: LiveRoom,
  port: WorkerPort,
  { signal, getToken }: Pick<JoinOptions, "signal" | "getToken">,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(new RoomError("aborted", "joining was called off"));
    };
    if (signal?.aborted) return abort();
    signal?.addEventListener("abort", abort, { once: true });
    port.onMessage = (message: FromWorker) => {
      if (message.type === "blocked-networks") saveBlockedNetworks(message.blocked);
      if (message.type === "token-needed") return void giveToken(port, getToken);
      room.receive(message);
      if (message.type !== "state" || message.state === "reconnecting") return;
      signal?.removeEventListener("abort", abort);
      if (message.state === "connected") resolve();
      else if (message.state === "closed") reject(new RoomError(message.code, message.reason));
    };
  });
}

async function giveToken(port: WorkerPort, getToken: JoinOptions["getToken"]): Promise<void> {
  try {
    const token = await getToken?.();
    if (token !== undefined) return port.post({ type: "token", token });
    port.post({ type: "token-refused", message: "The join token has expired: ask for a new one." });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    port.post({ type: "token-refused", message });
  }
}
