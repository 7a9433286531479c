/** Finds UDP ports for processes that must know one another's before they start. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

/** UDP ports of 127.0.0.1 that are free now. They are held together, so that no two are the same. */
export async function freeUdpPorts(count: number): Promise<number[]> {
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    sockets.push(socket);
  }
  const ports = sockets.map((socket) => socket.address().port);
  await Promise.all(
    sockets.map((socket) => {
      const closed = once(socket, "close");
      socket.close();
      return closed;
    }),
  );
  return ports;
}
