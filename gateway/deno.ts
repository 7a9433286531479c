/** The gateway on Deno, with HOST and PORT as on Node: `deno run -A gateway/deno.ts`. For `deno serve` see deno-serve.ts. */
import { addressFromDeno } from "./client-address.ts";
import { createStandalone, readyLine, startFault } from "./standalone.ts";

let host = "";
let port = 0;

try {
  const standalone = await createStandalone(Deno.env.toObject(), addressFromDeno);
  ({ host, port } = standalone);
  const server = Deno.serve(
    { hostname: host, port, onListen: (address) => console.info(readyLine(host, address.port)) },
    (request, info) => standalone.app.fetch(request, info),
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => void server.shutdown().then(() => Deno.exit(0)));
  }
} catch (error) {
  const line = startFault(error, host, port);
  if (line === undefined) throw error;
  console.error(line);
  Deno.exit(1);
}
