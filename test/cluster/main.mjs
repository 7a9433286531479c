/**
 * `npm run cluster [-- --loss 2 --rtt 80 --port 3000]`: a whole cluster on this machine, to look at and to break. Installs and
 * builds what is missing, then runs test/cluster/run.ts.
 */
import { ensureClient } from "../../start/build.mjs";
import { checkRuntimeVersion, ensureDependencies } from "../../start/dependencies.mjs";
import { StartError } from "../../start/start-error.mjs";

async function main() {
  checkRuntimeVersion();
  ensureDependencies();
  ensureClient();
  const { register } = await import("tsx/esm/api");
  register();
  const { run, isForPeople } = await import("./run.ts");
  try {
    await run(process.argv.slice(2));
  } catch (error) {
    if (!isForPeople(error)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
