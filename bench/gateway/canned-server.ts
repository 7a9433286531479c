/** What the load generator can ask for at most: a server that answers the same bytes to everything without looking at it. Prints its URL. */
import { type AddressInfo, createServer } from "node:net";
import process from "node:process";

const [bytes = "1000"] = process.argv.slice(2);
const body = "x".repeat(Number(bytes));
const answer = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
);
const server = createServer((socket) => {
  socket.setNoDelay(true);
  // A request of the generator fits one segment, and its next one waits for the answer.
  socket.on("data", () => socket.write(answer));
  socket.on("error", () => socket.destroy());
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`ready: http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
