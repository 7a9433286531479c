/** The certificate is kept while it is good, and replaced while everything runs when it no longer is. */
import assert from "node:assert/strict";
import { type KeptCertificate, keptCertificate, renewInTime } from "./kept-certificate.ts";
import { KeptState } from "./kept-state.ts";

const DAY_MS = 86_400_000;

async function withState(test: (state: KeptState, folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(await KeptState.open(`${folder}/state`), `${folder}/state`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the same certificate comes back until it is near its end", () =>
  withState(async (state) => {
    const first = await keptCertificate(state, []);
    assert.match(first.certPem, /BEGIN CERTIFICATE/);
    assert.equal(Math.round((first.notAfterMs - Date.now()) / DAY_MS), 10);
    assert.deepEqual(await keptCertificate(state, []), first);
    await state.write("certificate.json", JSON.stringify({ ...first, notAfterMs: Date.now() + DAY_MS }));
    assert.notEqual((await keptCertificate(state, [])).sha256, first.sha256);
  }));

Deno.test("a damaged file is as good as none", () =>
  withState(async (state) => {
    for (const text of ["", "{", "null", '{"certPem":"x"}']) {
      await state.write("certificate.json", text);
      assert.match((await keptCertificate(state, [])).certPem, /BEGIN CERTIFICATE/, text);
    }
  }));

Deno.test("a running relay gets a new one in time, which is kept too", () =>
  withState(async (state) => {
    const old = { ...(await keptCertificate(state, [])), notAfterMs: Date.now() + DAY_MS };
    const fresh = await new Promise<KeptCertificate>((resolve) => {
      const end = renewInTime(
        state,
        [],
        old,
        (certificate) => {
          end();
          resolve(certificate);
        },
        5,
      );
    });
    assert.notEqual(fresh.sha256, old.sha256);
    assert.equal((await keptCertificate(state, [])).sha256, fresh.sha256);
  }));

Deno.test({
  name: "keys are for their owner only",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withState(async (state, folder) => {
      await keptCertificate(state, []);
      const mode = async (path: string) => ((await Deno.stat(path)).mode ?? 0) & 0o777;
      assert.equal(await mode(folder), 0o700);
      assert.equal(await mode(`${folder}/certificate.json`), 0o600);
    }),
});
