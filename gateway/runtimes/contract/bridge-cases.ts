/** The contract of gateways over HTTP: outputs, ingests, recordings, and where audiences are sent. */
import { expect, test } from "vitest";
import { statusOf } from "../../../core/directory/bridge-directory-harness.contract.ts";
import type { RecordingInfo } from "../../../core/wire/bridge-jobs.ts";
import { KEY, type Stage } from "./stage.contract.ts";

const BRIDGE = "https://b1.example.org";

interface Job {
  id: string;
}

export function bridgeCases(stage: Stage): void {
  outputCases(stage);
  audienceCases(stage);
  recordingCases(stage);

  test("an ingest is made, told, listed and ended; one identity has one", async () => {
    const body = { room: "studio", type: "rtmp", identity: "obs", name: "OBS" };
    const made = await stage.get<Job>("POST", "/v1/ingests", { body });
    expect(made).toMatchObject({ urls: { rtmp: "rtmp://b1.example.org:1935/live" }, status: null });
    const again = await stage.call("POST", "/v1/ingests", { headers: KEY, body });
    expect([again.status, again.headers.get("location")]).toEqual([409, `/v1/ingests/${made.id}`]);
    const path = `/v1/ingests/${made.id}`;
    expect(await stage.get("GET", path)).toEqual(made);
    expect(await stage.get("GET", "/v1/ingests?room=studio")).toEqual({ ingests: [made] });
    expect(await stage.get("DELETE", path)).toEqual(made);
    expect(await stage.refusal("GET", path, { headers: KEY })).toBe("404 ingest-not-found");
    expect(await stage.refusal("DELETE", path, { headers: KEY })).toBe("404 ingest-not-found");
  });

  test("an admin of a room has that room's only; anybody else has nothing", async () => {
    const as = async (room: string, grants: object) => ({
      authorization: `Bearer ${await stage.token(room, { grants })}`,
    });
    const body = { type: "recording" };
    const path = "/v1/rooms/mine/outputs";
    const post = async (headers: Record<string, string>) => stage.refusal("POST", path, { headers, body });
    expect(await post(await as("mine", {}))).toBe("403 admin-required");
    expect(await post(await as("theirs", { admin: true }))).toBe("403 token-other-room");
    expect(await post({ authorization: "Bearer app:wrong" })).toBe("401 key-refused");
    expect(await post(await as("mine", { admin: true }))).toBe("201");
    const { outputs } = await stage.get<{ outputs: Job[] }>("GET", path);
    const foreign = await as("theirs", { admin: true });
    for (const method of ["GET", "DELETE"]) {
      const found = await stage.refusal(method, `${path}/${outputs[0]?.id}`, { headers: foreign });
      expect(found).toBe("403 token-other-room");
    }
  });
}

function outputCases(stage: Stage): void {
  test("an output is added, told with its status, listed and ended; stream keys are never told", async () => {
    const path = "/v1/rooms/stage/outputs";
    const body = {
      type: "rtmp",
      targets: [{ name: "Main", url: "rtmps://live.example.org/app/THE-STREAM-KEY" }],
    };
    const added = await stage.get<Job>("POST", path, { body });
    const [view] = (await stage.directory.bridges.jobs()).filter(({ job }) => job.id === added.id);
    if (!view) throw new Error("the directory has no such job");
    expect(JSON.stringify(view.job)).toContain("THE-STREAM-KEY");
    await stage.bridgeAtWork.claimJob(added.id);
    await stage.bridgeAtWork.report(statusOf(view.job, "b1", { latencyMs: 1200 }));
    const told = await stage.get("GET", `${path}/${added.id}`);
    expect(told).toMatchObject({ id: added.id, status: { state: "running", latencyMs: 1200 } });
    expect(await stage.get("GET", path)).toEqual({ outputs: [told] });
    expect(JSON.stringify([added, told])).not.toContain("THE-STREAM-KEY");
    expect(await stage.get("DELETE", `${path}/${added.id}`)).toMatchObject({ id: added.id });
    expect(await stage.refusal("GET", `${path}/${added.id}`, { headers: KEY })).toBe("404 output-not-found");
  });

  test.each([
    ["no type", {}],
    ["an unknown type", { type: "webrtc" }],
    ["a target that is no RTMP", { type: "rtmp", targets: [{ name: "x", url: "file:///etc/passwd" }] }],
    ["no targets", { type: "rtmp", targets: [] }],
    ["a bitrate that there is not", { type: "mp3", bitrateKbps: 1e9 }],
    ["a list", []],
  ])("an output with %s is refused", async (_what, body) => {
    const refusal = await stage.refusal("POST", "/v1/rooms/stage/outputs", { headers: KEY, body });
    expect(refusal).toBe("400 invalid-request");
  });
}

function audienceCases(stage: Stage): void {
  test("audiences of any origin are sent on to the bridge that has what they ask for", async () => {
    for (const type of ["hls", "mp3"]) {
      const { id } = await stage.get<Job>("POST", "/v1/rooms/b%C3%BChne/outputs", { body: { type } });
      await stage.bridgeAtWork.claimJob(id);
    }
    const headers = { origin: "https://a-site.example.org" };
    for (const path of ["/hls/b%C3%BChne/index.m3u8?x=1", "/listen/b%C3%BChne.mp3"]) {
      for (const method of ["GET", "HEAD"]) {
        const response = await stage.call(method, path, { headers });
        expect([response.status, response.headers.get("location")]).toEqual([307, BRIDGE + path]);
        expect(response.headers.get("access-control-allow-origin")).toBe("*");
        expect(response.headers.get("cache-control")).toBe("no-store");
      }
      const preflight = await stage.call("OPTIONS", path, {
        headers: { ...headers, "access-control-request-method": "GET" },
      });
      expect(preflight.status).toBe(204);
      expect(preflight.headers.get("access-control-allow-headers")).toContain("range");
    }
  });

  test.each([
    ["/hls/nobody/index.m3u8", "404 output-not-found"],
    ["/listen/nobody.mp3", "404 output-not-found"],
    ["/listen/nobody.ogg", "404 not-found"],
    ["/hls/%2e%2e%2f%2e%2e/index.m3u8", "404 output-not-found"],
    [`/hls/${"x".repeat(300)}/index.m3u8`, "404 output-not-found"],
    ["/recordings/x/index.m3u8", "404 recording-not-found"],
    ["/recordings/no-such-recording/index.m3u8", "404 recording-not-found"],
  ])("%s leads nowhere", async (path, problem) => {
    expect(await stage.refusal("GET", path)).toBe(problem);
  });
}

function recordingCases(stage: Stage): void {
  test("recordings of the bridges are listed, told, played and deleted; one that is being made stays", async () => {
    const { recordings } = stage.bridge;
    for (const [id, state] of [
      ["recording-done", "complete"],
      ["recording-going-on", "recording"],
    ] as const)
      recordings.set(id, recordingNamed(id, state));
    const list = await stage.get<{ recordings: Job[] }>("GET", "/v1/recordings?room=demo&limit=10");
    expect(list.recordings.map(({ id }) => id).sort()).toEqual([...recordings.keys()].sort());
    const path = "/v1/recordings/recording-done";
    expect(await stage.get("GET", path)).toMatchObject({ bridgeId: "b1", state: "complete" });
    const watched = await stage.call("GET", "/recordings/recording-done/index.m3u8");
    expect(watched.headers.get("location")).toBe(`${BRIDGE}/recordings/recording-done/index.m3u8`);
    const going = await stage.refusal("DELETE", "/v1/recordings/recording-going-on", { headers: KEY });
    expect(going).toBe("409 recording-in-progress");
    expect(await stage.get("DELETE", path)).toMatchObject({ id: "recording-done" });
    expect([...recordings.keys()]).toEqual(["recording-going-on"]);
    expect(await stage.refusal("GET", path, { headers: KEY })).toBe("404 recording-not-found");
    expect(stage.bridge.refused).toBe(0);
  });
}

function recordingNamed(id: string, state: RecordingInfo["state"]): RecordingInfo {
  const at = "2027-01-15T08:00:00.000Z";
  return {
    id,
    room: "demo",
    state,
    startedAt: at,
    endedAt: state === "recording" ? null : at,
    durationMs: 1_000,
    bytes: 1_000,
    participants: [],
    hasPicture: true,
    playlistPath: `recordings/${id}/index.m3u8`,
    downloadPath: `recordings/${id}/download`,
    posterPath: null,
    files: [],
  };
}
