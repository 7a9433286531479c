/** From a wish (room, name, devices) to a Room, and the first publishing of devices, which may partly fail. */
import type { Room } from "../sdk/api.ts";
import { joinRoom } from "../sdk/index.ts";
import { sentenceOf } from "./error-sentence.ts";
import { requestGuestToken } from "./guest-token.ts";

export interface DeviceWish {
  on: boolean;
  /** Empty: the default device. */
  deviceId: string;
}

export interface JoinWish {
  room: string;
  name: string;
  /** Empty: ask for a guest token. */
  token: string;
  microphone: DeviceWish;
  camera: DeviceWish;
  /** Empty: the default speaker. */
  speakerId: string;
}

export interface Entered {
  room: Room;
  /** The join token, which other routes of the gateway take as well. */
  token: string;
}

/** `region`: empty = the gateway's own idea. Rejects with JoinRefusedError or RoomError, both of which say what to do. */
export async function enterRoom(wish: JoinWish, region: string, signal: AbortSignal): Promise<Entered> {
  const token = wish.token === "" ? await requestGuestToken("", wish.room, wish.name, signal) : wish.token;
  const room = await joinRoom({ token, signal, ...(region === "" ? {} : { region }) });
  return { room, token };
}

/** Publishes what was wished, all at once; answers a sentence for each thing that did not work. */
export async function publishWished(room: Room, wish: JoinWish): Promise<string[]> {
  const may = (source: "microphone" | "camera") =>
    !room.grants.hidden && room.grants.publish.includes(source);
  const steps: [left: string, step: Promise<unknown>][] = [];
  if (wish.microphone.on && may("microphone")) {
    steps.push(["Joined without microphone", room.publishMicrophone(deviceOption(wish.microphone))]);
  }
  if (wish.camera.on && may("camera")) {
    steps.push(["Joined without camera", room.publishCamera(deviceOption(wish.camera))]);
  }
  if (wish.speakerId !== "") steps.push(["Using the default speaker", room.setSpeaker(wish.speakerId)]);
  const results = await Promise.allSettled(steps.map(([, step]) => step));
  return results.flatMap((result, index) =>
    result.status === "rejected" ? [`${steps[index]?.[0]}. ${sentenceOf(result.reason)}`] : [],
  );
}

function deviceOption(wish: DeviceWish): { deviceId?: string } {
  return wish.deviceId === "" ? {} : { deviceId: wish.deviceId };
}
