/** Devices come and go; the browser is played. */
import { expect, it } from "vitest";
import { DeviceCare, type DeviceSource, type DeviceWish, type ListedDevice } from "./device-care.ts";

const device = (deviceId: string, groupId = deviceId): ListedDevice => ({
  deviceId,
  groupId,
  label: `The ${deviceId}`,
});

class Stage {
  listed: ListedDevice[] = [];
  /** What is published, and from which device. */
  readonly published = new Map<DeviceSource, { deviceId: string; label: string; muted: boolean }>();
  readonly told: string[] = [];
  isDenied = false;
  nowMs = 0;

  readonly care = new DeviceCare({
    publish: async (source, wish) => this.#publish(source, wish),
    stop: (source) => this.published.delete(source),
    captured: (source) => this.published.get(source),
    devices: async () => this.listed,
    isDenied: async () => this.isDenied,
    onProblem: (code) => this.told.push(code),
    onDevice: ({ change, message }) => this.told.push(`${change}: ${message}`),
    nowMs: () => this.nowMs,
  });

  #publish(source: DeviceSource, { deviceId, muted = false }: DeviceWish): void {
    const found = this.listed.find((one) => deviceId === undefined || one.deviceId === deviceId);
    if (found === undefined) throw new Error("no such device");
    this.published.set(source, { deviceId: found.deviceId, label: found.label, muted });
  }

  async begin(source: DeviceSource, wish: DeviceWish, ...listed: ListedDevice[]): Promise<void> {
    this.listed = listed;
    this.#publish(source, wish);
    await this.care.note(source, wish);
  }

  async unplug(source: DeviceSource, deviceId: string): Promise<void> {
    this.listed = this.listed.filter((one) => one.deviceId !== deviceId);
    await Promise.all([this.care.onEnded(source), this.care.onListChange()]);
  }

  async plug(...devices: ListedDevice[]): Promise<void> {
    this.listed = [...devices, ...this.listed];
    await this.care.onListChange();
  }
}

it("a camera that was unplugged is replaced, and taken again when it is back", async () => {
  const stage = new Stage();
  await stage.begin("camera", {}, device("webcam"), device("laptop"));
  await stage.unplug("camera", "webcam");
  expect(stage.published.get("camera")?.deviceId).toBe("laptop");
  await stage.plug(device("webcam"));
  expect(stage.published.get("camera")?.deviceId).toBe("webcam");
  await stage.care.onListChange();
  expect(stage.told).toEqual([
    "replaced: The camera went away; now it is The laptop.",
    "back: The camera is back: The webcam.",
  ]);
});

it("one that was chosen is not replaced, and is on again when it comes back soon", async () => {
  const stage = new Stage();
  await stage.begin("microphone", { deviceId: "headset", muted: true }, device("headset"), device("laptop"));
  await stage.unplug("microphone", "headset");
  expect(stage.published.has("microphone")).toBe(false);
  await stage.plug(device("another"));
  expect(stage.published.has("microphone")).toBe(false);
  stage.nowMs += 60_000;
  await stage.plug(device("headset"));
  expect(stage.published.get("microphone")).toMatchObject({ deviceId: "headset", muted: true });
  expect(stage.told[0]).toBe("device-gone");
});

it("nothing is turned on when it comes back after a long time, or was turned off meanwhile", async () => {
  const stage = new Stage();
  await stage.begin("camera", {}, device("webcam"));
  await stage.unplug("camera", "webcam");
  stage.nowMs += 600_000;
  await stage.plug(device("webcam"));
  expect(stage.published.has("camera")).toBe(false);

  await stage.begin("camera", {}, device("webcam"));
  await stage.unplug("camera", "webcam");
  stage.care.forget("camera");
  await stage.plug(device("webcam"));
  expect(stage.published.has("camera")).toBe(false);
});

it("the only one comes back", async () => {
  const stage = new Stage();
  await stage.begin("camera", {}, device("webcam"));
  await stage.unplug("camera", "webcam");
  expect(stage.published.has("camera")).toBe(false);
  await stage.plug(device("another webcam"));
  expect(stage.published.get("camera")?.deviceId).toBe("another webcam");
});

it("a permission that was taken back ends it, in a sentence, and nothing turns it on again", async () => {
  const stage = new Stage();
  await stage.begin("camera", {}, device("webcam"));
  stage.isDenied = true;
  await stage.care.onEnded("camera");
  stage.isDenied = false;
  await stage.care.onListChange();
  expect(stage.published.has("camera")).toBe(false);
  expect(stage.told).toEqual(["permission-denied"]);
});

it("a microphone that was the default and is unplugged is known again by the case that it is in", async () => {
  const stage = new Stage();
  const laptop = [device("default", "laptop"), device("id of laptop", "laptop")];
  const headset = [device("default", "headset"), device("id of headset", "headset")];
  await stage.begin("microphone", {}, ...headset, laptop[1]!);
  stage.listed = laptop;
  await Promise.all([stage.care.onEnded("microphone"), stage.care.onListChange()]);
  expect(stage.published.get("microphone")?.deviceId).toBe("default");
  stage.listed = [...laptop, headset[1]!];
  await stage.care.onListChange();
  expect(stage.published.get("microphone")?.deviceId).toBe("id of headset");
  expect(stage.told.map((text) => text.split(":")[0])).toEqual(["replaced", "back"]);
});

it("the microphone follows the system's default, muted as it was, where nobody chose another", async () => {
  const stage = new Stage();
  await stage.begin("microphone", { muted: true }, device("default", "laptop"), device("laptop"));
  await stage.care.onListChange();
  expect(stage.told).toEqual([]);
  stage.listed = [device("default", "headset"), device("headset"), device("laptop")];
  await stage.care.onListChange();
  expect(stage.published.get("microphone")?.muted).toBe(true);
  expect(stage.told).toHaveLength(1);

  const chosen = new Stage();
  await chosen.begin("microphone", { deviceId: "laptop" }, device("default", "laptop"), device("laptop"));
  chosen.listed = [device("default", "headset"), device("headset"), device("laptop")];
  await chosen.care.onListChange();
  expect(chosen.told).toEqual([]);
});
