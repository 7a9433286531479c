/** The gateway for `deno serve -A gateway/deno-serve.ts`, whose --host, --port and --parallel stand in for HOST and PORT. */
import { addressFromDeno } from "./client-address.ts";
import { createStandalone, readyLine, startFault } from "./standalone.ts";

async function start() {
  try {
    return await createStandalone(Deno.env.toObject(), addressFromDeno);
  } catch (error) {
    const line = startFault(error, "", 0);
    if (line === undefined) throw error;
    console.error(line);
    Deno.exit(1);
  }
}

const { app } = await start();

export default {
  fetch: (request: Request, info: Deno.ServeHandlerInfo) => app.fetch(request, info),
  onListen: (address: Deno.Addr) => {
    if (address.transport === "tcp") console.info(readyLine(address.hostname, address.port));
  },
} satisfies Deno.ServeDefaultExport;
