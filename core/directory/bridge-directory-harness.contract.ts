/** What the contract of bridge directories (bridge-directory.contract.ts) asks of whoever runs it, and what its cases share. */
import type { BridgeJob, BridgeRecord, IngestJob, JobStatus, OutputJob } from "../wire/bridge-jobs.ts";
import type { BridgeDirectory, JobEvent } from "./bridge-directory.ts";

export interface BridgeDirectoryHarness {
  directory: BridgeDirectory;
  /** Lets time pass, with everything that happens in it. */
  pass(delayMs: number): Promise<void>;
  /** Takes the bridge's connection to the directory away; its lease is not renewed from now on. */
  cutOff(bridgeId: string): Promise<void>;
  reconnect(bridgeId: string): Promise<void>;
}

export interface BridgeDirectoryCase {
  name: string;
  run(harness: BridgeDirectoryHarness): Promise<void>;
}

const CREATED = "2027-01-15T08:00:00.000Z";
const MAX_LOOKS = 100;
const LOOK_MS = 100;

export function bridgeNamed(id: string, change: Partial<BridgeRecord> = {}): BridgeRecord {
  return {
    id,
    region: "eu",
    publicUrl: `https://${id}.example.org`,
    rtmpUrl: `rtmp://${id}.example.org:1935/live`,
    rtmpsUrl: "",
    icecastUrl: `http://${id}.example.org:8000`,
    operationsUrl: `http://${id}.example.org:9090/`,
    capacity: 100,
    jobs: 0,
    version: "0.1.0",
    draining: false,
    ...change,
  };
}

/** A recording, of which a room may have several. */
export function recordingJob(id: string, change: Partial<OutputJob> = {}): OutputJob {
  return {
    kind: "output",
    id,
    room: "room",
    createdAt: CREATED,
    spec: { type: "recording", picture: { mode: "speaker" }, gainsDb: {}, participants: false },
    ...change,
  };
}

export function hlsJob(id: string, room = "room"): OutputJob {
  return recordingJob(id, {
    room,
    spec: { type: "hls", picture: { mode: "speaker" }, gainsDb: {}, opus: false },
  });
}

export function mp3Job(id: string, room = "room"): OutputJob {
  return recordingJob(id, { room, spec: { type: "mp3", bitrateKbps: 128, gainsDb: {} } });
}

export function ingestJob(id: string, identity = "studio", room = "room"): IngestJob {
  return {
    kind: "ingest",
    id,
    room,
    createdAt: CREATED,
    spec: { type: "rtmp", identity },
    streamKey: `key-of-${id}-0123456789`,
  };
}

export function statusOf(job: BridgeJob, bridgeId: string, change: Partial<JobStatus> = {}): JobStatus {
  return {
    jobId: job.id,
    bridgeId,
    state: "running",
    since: CREATED,
    message: "",
    latencyMs: null,
    ...change,
  };
}

/** Everything that a watch says, as it says it. */
export function watched(directory: BridgeDirectory): { events: JobEvent[]; end: () => void } {
  const events: JobEvent[] = [];
  return { events, end: directory.watchJobs((event) => events.push(event)) };
}

/** Lets time pass until `isTrue`, or for so long that it never will be. */
export async function until(harness: BridgeDirectoryHarness, isTrue: () => boolean): Promise<void> {
  for (let look = 0; look < MAX_LOOKS && !isTrue(); look++) await harness.pass(LOOK_MS);
}
