/**
 * What becomes of our microphone and camera when their devices do not do as they should: one that was unplugged is replaced where
 * people chose no certain one, and taken again when it is back; what the browser or the system forbids is told.
 */
import type { RoomEvents } from "./api.ts";

export type DeviceSource = "microphone" | "camera";

/** How a source was asked for; without `deviceId` any device will do. */
export interface DeviceWish {
  deviceId?: string;
  muted?: boolean;
}

/** A device as the browser lists it. */
export interface ListedDevice {
  deviceId: string;
  /** Devices in one case share it; the entry "default" has that of the device that it stands for. */
  groupId: string;
  label: string;
}

/** What a source is captured from now. */
interface CapturedDevice {
  deviceId: string;
  label: string;
  muted: boolean;
}

export interface DeviceCareOptions {
  /** Publishes a source, or switches its device. Rejects with RoomError. */
  publish(source: DeviceSource, wish: DeviceWish): Promise<unknown>;
  /** Ends a source's track. */
  stop(source: DeviceSource): void;
  /** Undefined: the source is not published. */
  captured(source: DeviceSource): CapturedDevice | undefined;
  devices(source: DeviceSource): Promise<readonly ListedDevice[]>;
  /** The browser does not let this page have such a device. */
  isDenied(source: DeviceSource): Promise<boolean>;
  onProblem(code: string, message: string): void;
  onDevice(event: RoomEvents["device"]): void;
  nowMs(): number;
}

/** A device that comes back later than this is not turned on by itself: nobody expects it any more. */
const BACK_WITHIN_MS = 120_000;
const DEFAULT_ID = "default";

interface Cared {
  readonly wish: DeviceWish;
  /** Of the entry "default" when it was captured. */
  defaultGroup: string | undefined;
  /** What was unplugged, and when; what is captured now stands in for it, if anything is. `group`: of the default, where it was that. */
  lost: { device: CapturedDevice; group: string | undefined; atMs: number } | undefined;
}

export class DeviceCare {
  readonly #options: DeviceCareOptions;
  readonly #cared = new Map<DeviceSource, Cared>();
  /** Looks happen one after the other. */
  #looking: Promise<void> = Promise.resolve();

  constructor(options: DeviceCareOptions) {
    this.#options = options;
  }

  /** The application has published a source, or switched its device. */
  async note(source: DeviceSource, wish: DeviceWish): Promise<void> {
    const cared: Cared = { wish, defaultGroup: undefined, lost: undefined };
    this.#cared.set(source, cared);
    cared.defaultGroup = groupOfDefault(await this.#options.devices(source).catch(() => []));
  }

  /** The application has ended it. */
  forget(source: DeviceSource): void {
    this.#cared.delete(source);
  }

  /** A source's track has ended by itself: the device is gone, or not allowed any more. */
  onEnded(source: DeviceSource): Promise<void> {
    return this.#inTurn(() => this.#replaceLost(source));
  }

  /** The browser's list of devices has changed. */
  onListChange(): Promise<void> {
    return this.#inTurn(async () => {
      for (const [source, cared] of [...this.#cared]) await this.#look(source, cared);
    });
  }

  #inTurn(task: () => Promise<void>): Promise<void> {
    this.#looking = this.#looking.then(task).catch(() => undefined);
    return this.#looking;
  }

  async #replaceLost(source: DeviceSource): Promise<void> {
    const { captured, stop, isDenied, onProblem, nowMs } = this.#options;
    const device = captured(source);
    const cared = this.#cared.get(source);
    if (device === undefined) return;
    if (cared === undefined || (await isDenied(source))) {
      stop(source);
      this.forget(source);
      const message = `The ${source} is not allowed any more. Allow it in the browser's address bar, then turn it on again.`;
      return onProblem("permission-denied", message);
    }
    // Of two that are lost one after the other the first is the one to go back to.
    const group = isDefault(device) ? cared.defaultGroup : undefined;
    cared.lost ??= { device, group, atMs: nowMs() };
    const isAny = cared.wish.deviceId === undefined;
    if (isAny && (await this.#goOn(source, cared, { muted: device.muted })))
      return this.#tell(source, "replaced", `The ${source} went away; now it is ${this.#label(source)}.`);
    stop(source);
    onProblem("device-gone", `The ${source} went away. Plug it in again, or choose another one.`);
  }

  async #look(source: DeviceSource, cared: Cared): Promise<void> {
    const { devices, captured, nowMs } = this.#options;
    const listed = await devices(source);
    const { lost, wish } = cared;
    const now = captured(source);
    if (lost !== undefined) {
      const found = listed.find((one) =>
        isDefault(lost.device)
          ? !isDefault(one) && one.groupId === lost.group
          : one.deviceId === lost.device.deviceId,
      );
      const wouldDo =
        found !== undefined || (now === undefined && wish.deviceId === undefined && listed.length > 0);
      const isExpected = now !== undefined || nowMs() - lost.atMs < BACK_WITHIN_MS;
      if (!wouldDo || !isExpected) return;
      const { muted } = now ?? lost.device;
      const which = found === undefined ? {} : { deviceId: found.deviceId };
      if (!(await this.#goOn(source, cared, { ...which, muted }))) return;
      cared.lost = undefined;
      return this.#tell(source, "back", `The ${source} is back: ${this.#label(source)}.`);
    }
    // The system has another default: browsers go on capturing the former one.
    const group = groupOfDefault(listed);
    if (wish.deviceId !== undefined || now === undefined || group === cared.defaultGroup) return;
    const isFirst = cared.defaultGroup === undefined;
    cared.defaultGroup = group;
    if (isFirst || !(await this.#goOn(source, cared, { muted: now.muted }))) return;
    this.#tell(source, "replaced", `The ${source} is now ${this.#label(source)}.`);
  }

  async #goOn(source: DeviceSource, cared: Cared, how: DeviceWish): Promise<boolean> {
    try {
      await this.#options.publish(source, { ...cared.wish, ...how });
      cared.defaultGroup = groupOfDefault(await this.#options.devices(source));
      return true;
    } catch {
      // Nothing else is there, or it is in use: as it was.
      return false;
    }
  }

  #label(source: DeviceSource): string {
    return this.#options.captured(source)?.label || "another one";
  }

  #tell(source: DeviceSource, change: RoomEvents["device"]["change"], message: string): void {
    this.#options.onDevice({ source, change, message });
  }
}

function isDefault({ deviceId }: { deviceId: string }): boolean {
  return deviceId === DEFAULT_ID;
}

function groupOfDefault(listed: readonly ListedDevice[]): string | undefined {
  return listed.find(isDefault)?.groupId;
}
