/** A TCP port of loopback that nobody has, for a program that has to be told its port before it runs. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

export async function freeTcpPort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
