/** The outputs panel in a real room: what is pressed becomes requests with the room's token, and what the API says is shown. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openBrowser, type TestBrowser } from "./browser.ts";
import { FakeJobs } from "./fake-jobs.ts";
import { testClip } from "./test-clip.ts";
import { type RunningTributary, startTributary } from "./tributary.ts";

const jobs = new FakeJobs();
let tributary: RunningTributary;
let browser: TestBrowser;
let page: Page;

/** The API of bridges comes from memory, everything else from the product. */
async function openRoom(path: string): Promise<Page> {
  const room = await browser.newPage();
  await room.route(/\/v1\/(rooms\/[^/]+\/outputs|ingests|recordings)/, async (route) => {
    const request = route.request();
    const { pathname, search } = new URL(request.url());
    const answer = jobs.answer({
      method: request.method(),
      path: pathname + search,
      authorization: request.headers().authorization ?? "",
      body: request.postDataJSON(),
    });
    if (answer === undefined) return route.continue();
    const body = answer.body === undefined ? "" : JSON.stringify(answer.body);
    await route.fulfill({ status: answer.status, contentType: "application/json", body });
  });
  await room.goto(tributary.url + path);
  await room.waitForFunction(() => window.tributary?.room?.state === "connected");
  return room;
}

beforeAll(async () => {
  [tributary, browser] = await Promise.all([startTributary(), openBrowser(testClip())]);
  page = await openRoom("/r/stage?name=Ada&join=1");
  await page.getByRole("button", { name: "Outputs" }).click();
});

afterAll(async () => {
  await browser?.close();
  await tributary?.stop();
});

it("starts and stops a stream, a radio and a recording, and everybody sees that they run", async () => {
  for (const [title, type] of [
    ["Stream", "hls"],
    ["Radio", "mp3"],
    ["Recording", "recording"],
  ] as const) {
    await page.getByRole("button", { name: `Start ${title}` }).click();
    await page.getByRole("button", { name: `Stop ${title}` }).waitFor();
    expect(jobs.outputs.at(-1)).toMatchObject({ room: "stage", spec: { type } });
  }
  const posts = jobs.requests.filter(({ method }) => method === "POST");
  expect(posts.map(({ path }) => path)).toEqual(Array(3).fill("/v1/rooms/stage/outputs"));
  expect(
    new Set(
      posts.map(({ authorization }) => authorization.replace(/^Bearer [\w-]+\.[\w-]+\.[\w-]+$/, "a token")),
    ),
  ).toEqual(new Set(["a token"]));
  await page.getByText("Waiting for a bridge…").first().waitFor();
  const [stream, , recording] = jobs.outputs;
  jobs.setStatus(stream?.id ?? "", { latencyMs: 1_900, audience: 12 });
  jobs.setStatus(recording?.id ?? "", { state: "failed", message: "The disk is full: free some space." });
  await page.getByText("1.9 s behind · 12 watching").waitFor();
  await page.getByText("The disk is full: free some space.").waitFor();
  expect(await page.locator(".on-air").textContent()).toMatch(/^LIVE/);
  jobs.setStatus(recording?.id ?? "", {});
  await page.locator(".on-air", { hasText: "REC" }).waitFor();
  expect(await page.getByLabel("Watch page", { exact: true }).inputValue()).toBe(
    `${tributary.url}/watch/stage`,
  );
  await page.getByRole("button", { name: "Stop Recording" }).click();
  await page.getByRole("button", { name: "Start Recording" }).waitFor();
  expect(jobs.outputs.map(({ spec }) => spec.type)).toEqual(["hls", "mp3"]);
});

it("starts what shows everybody, or one participant alone", async () => {
  await page.getByRole("button", { name: "Stop Stream" }).click();
  const picture = page.getByLabel("Picture of what you start");
  for (const [label, wish, shown] of [
    ["Everybody (grid)", { mode: "grid" }, "Waiting for a bridge… · everybody"],
    ["Only Ada", { mode: "pinned", identity: expect.any(String) }, "Waiting for a bridge… · only Ada"],
  ] as const) {
    await picture.selectOption(label);
    await page.getByRole("button", { name: "Start Stream" }).click();
    await page.getByText(shown).waitFor();
    expect(jobs.outputs.at(-1)?.spec).toEqual({ type: "hls", picture: wish });
    await page.getByRole("button", { name: "Stop Stream" }).click();
  }
  await picture.selectOption("Whoever speaks");
  await page.getByRole("button", { name: "Start Stream" }).click();
  await page.getByRole("button", { name: "Stop Stream" }).waitFor();
  expect(jobs.outputs.at(-1)?.spec).toEqual({ type: "hls" });
});

it("sends to a service whose key is neither shown nor kept", async () => {
  await page.getByRole("button", { name: /Send to YouTube/ }).click();
  const dialog = page.getByRole("dialog", { name: "Send the room to a service" });
  await dialog.getByRole("radio", { name: "Custom" }).check();
  await dialog.getByLabel("Server").fill("http://cdn.example/live");
  expect(await dialog.getByLabel("Stream key").getAttribute("type")).toBe("password");
  await dialog.getByLabel("Stream key").fill("secret-key-1");
  await dialog.getByLabel("Name").fill("Our CDN");
  await dialog.getByRole("button", { name: "Start sending" }).click();
  await dialog.getByText("Enter the server as rtmp://host/app").waitFor();
  await dialog.getByLabel("Server").fill("rtmps://cdn.example/live/");
  await dialog.getByRole("button", { name: "Start sending" }).click();
  await page.getByText("Our CDN").waitFor();
  expect(jobs.outputs.at(-1)?.spec).toEqual({
    type: "rtmp",
    targets: [{ name: "Our CDN", url: "rtmps://cdn.example/live/secret-key-1" }],
  });
  jobs.setStatus(jobs.outputs.at(-1)?.id ?? "", {
    targets: [
      {
        name: "Our CDN",
        state: "reconnecting",
        message: "cdn.example refused the key.",
        bytesSent: 84e6,
        dropped: 3,
      },
    ],
  });
  await page.getByText("Reconnecting… · 84 MB sent · 3 pictures dropped: too slow").waitFor();
  await page.getByText("cdn.example refused the key.").waitFor();
  expect(await page.locator("tributary-outputs").evaluate(textOf)).not.toContain("secret-key-1");
});

it("knows where YouTube is, each time that it is asked", async () => {
  for (const key of ["first-key", "second-key"]) {
    await page.getByRole("button", { name: /Send to YouTube/ }).click();
    const dialog = page.getByRole("dialog", { name: "Send the room to a service" });
    expect(await dialog.getByRole("radio", { name: "YouTube" }).isChecked()).toBe(true);
    expect(await dialog.getByLabel("Stream key").inputValue()).toBe("");
    await dialog.getByLabel("Stream key").fill(key);
    await dialog.getByRole("button", { name: "Start sending" }).click();
    await dialog.waitFor({ state: "hidden" });
    await expect
      .poll(() => jobs.outputs.at(-1)?.spec)
      .toEqual({
        type: "rtmp",
        targets: [{ name: "YouTube", url: `rtmps://a.rtmps.youtube.com/live2/${key}` }],
      });
  }
});

it("makes a key for OBS, hidden until asked for", async () => {
  await page.getByRole("button", { name: /Bring in OBS/ }).click();
  const dialog = page.getByRole("dialog", { name: "Bring in a source" });
  await dialog.getByLabel("Name").fill("Stage camera");
  await dialog.getByRole("button", { name: "Create stream key" }).click();
  const key = page.locator("tributary-copy-field").getByLabel("Stream key", { exact: true });
  await key.waitFor();
  expect(jobs.ingests[0]).toMatchObject({
    room: "stage",
    spec: {
      type: "rtmp",
      name: "Stage camera",
      identity: expect.stringMatching(/^stage-camera-[a-z0-9]{6}$/),
    },
  });
  expect(await page.locator("tributary-copy-field").getByLabel("Server", { exact: true }).inputValue()).toBe(
    "rtmp://127.0.0.1:1935/live",
  );
  expect(await key.getAttribute("type")).toBe("password");
  await page.getByRole("button", { name: "Show Stream key" }).click();
  expect(await key.getAttribute("type")).toBe("text");
  expect(await key.inputValue()).toBe(jobs.ingests[0]?.streamKey);
  await page.getByRole("button", { name: "Remove Stage camera" }).click();
  await expect.poll(() => jobs.ingests).toEqual([]);
});

it("says what the gateway says no to, and goes on", async () => {
  jobs.refusal = "No bridge takes jobs now: start one, or try again in a minute.";
  await page.getByRole("button", { name: "Start Recording" }).click();
  await page.getByText("No bridge takes jobs now").waitFor();
  await page.getByLabel("A file for each person").check();
  await page.getByRole("button", { name: "Start Recording" }).click();
  await page.getByText("No bridge takes jobs now").waitFor({ state: "detached" });
  expect(jobs.outputs.at(-1)?.spec).toEqual({ type: "recording", participants: true });
  jobs.setStatus(jobs.outputs.at(-1)?.id ?? "", {});
  await page.getByText("with a file for each person").waitFor();
});

it("lends the room's token to the page of recordings", async () => {
  const [history] = await Promise.all([
    page.context().waitForEvent("page"),
    page.getByRole("link", { name: "Recordings of this room" }).click(),
  ]);
  await history.waitForURL("**/history?room=stage");
  expect(await history.evaluate(() => sessionStorage.getItem("tributary.credential"))).toMatch(
    /^[\w-]+\.[\w-]+\.[\w-]+$/,
  );
});

it("is not there for who may not: invited, and no admin", async () => {
  const asked = jobs.requests.length;
  const token = await tributary.mint("stage", "bob");
  const other = await openRoom(`/r/stage?token=${token}&join=1`);
  await other.waitForTimeout(500);
  expect(await other.getByRole("button", { name: "Outputs" }).count()).toBe(0);
  expect(
    jobs.requests.slice(asked).filter(({ authorization }) => authorization === `Bearer ${token}`),
  ).toEqual([]);
});

/** Text of an element and everything in the shadow roots below it, values of fields included. */
function textOf(element: Element): string {
  const parts: string[] = [];
  const visit = (node: Node): void => {
    if (node instanceof HTMLInputElement) parts.push(node.value);
    if (node instanceof Text) parts.push(node.data);
    if (node instanceof Element && node.shadowRoot !== null) visit(node.shadowRoot);
    for (const child of node.childNodes) visit(child);
  };
  visit(element);
  return parts.join(" ");
}
