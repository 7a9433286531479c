/** Entry of the pipeline worker: hands the page's messages to the engine and its answers back. */
import { RequestFailedError } from "../../core/participant/participant.ts";
import { RoomError } from "../sdk/api.ts";
import { watchNetwork } from "../session/network-signs.ts";
import { watchWake } from "../session/wake-watch.ts";
import { loadOpus } from "./opus-module.ts";
import { decodableCodecs } from "./picture-encodings.ts";
import { RoomEngine } from "./room-engine.ts";
import type { FromWorker, SpeakerMessage, ToWorker } from "./worker-messages.ts";

/** The part of DedicatedWorkerGlobalScope that is used here; the DOM library describes windows only. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker): void;
}

const scope = globalThis as unknown as WorkerScope;
let engine: RoomEngine | undefined;
/** The speaker may be ready before the gateway has answered. */
let earlySpeaker: SpeakerMessage | undefined;
let outputLatencyUs = 0;

// While the gateway answers, so that neither hello nor the first sound need wait for it.
void loadOpus();
void decodableCodecs();

function post(message: FromWorker): void {
  scope.postMessage(message);
}

scope.onmessage = ({ data: message }) => {
  switch (message.type) {
    case "start": {
      const started = new RoomEngine(message, post);
      engine = started;
      started.mixer.outputLatencyUs = outputLatencyUs;
      if (earlySpeaker !== undefined) started.mixer.connect(earlySpeaker.port, earlySpeaker.shared);
      void started.join();
      watchNetwork(() => started.noteChange());
      watchWake(() => started.noteChange());
      return;
    }
    case "speaker":
      if (engine === undefined) earlySpeaker = message;
      else engine.mixer.connect(message.port, message.shared);
      return;
    case "request":
      void answer(message.id, message);
      return;
    case "canvas":
      engine?.roster.byHandle(message.handle)?.video?.attach(message.canvasId, message.canvas);
      return;
    case "canvas-gone":
      engine?.roster.byHandle(message.handle)?.video?.board.detach(message.canvasId);
      return;
    case "canvas-size":
      engine?.roster
        .byHandle(message.handle)
        ?.video?.board.resize(message.canvasId, message.width, message.height);
      return;
    case "volume": {
      const audio = engine?.roster.byHandle(message.handle)?.audio;
      if (audio !== undefined) audio.volume = message.volume;
      return;
    }
    case "network-sign":
      return engine?.noteChange();
    case "token":
      return engine?.token.renew(message.token);
    case "token-refused":
      return engine?.token.refuse(message.message);
    case "output-latency":
      outputLatencyUs = message.latencyUs;
      if (engine !== undefined) engine.mixer.outputLatencyUs = message.latencyUs;
      return;
  }
};

async function answer(id: number, message: Extract<ToWorker, { type: "request" }>): Promise<void> {
  try {
    if (engine === undefined) throw new RoomError("not-connected", "the room has not been joined yet");
    post({ type: "answer", id, value: await engine.run(message.request) });
  } catch (error) {
    const code =
      error instanceof RequestFailedError || error instanceof RoomError ? error.code : "unavailable";
    post({ type: "refused", id, code, message: error instanceof Error ? error.message : String(error) });
  }
}
