/** A line that delays everything: TCP to a local port, each way by so many ms. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export async function slowProxy(
  target: number,
  delayMs: number,
): Promise<AsyncDisposable & { port: number }> {
  const sockets = new Set<Socket>();
  const pass = (from: Socket, to: Socket): void => {
    sockets.add(from);
    // Timers of one delay fire in the order they were set, so bytes stay in order.
    from.on("data", (chunk: Buffer) => void setTimeout(() => to.writable && to.write(chunk), delayMs));
    from.on("close", () => void setTimeout(() => to.destroy(), delayMs));
    from.on("error", () => from.destroy());
  };
  const server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1");
    pass(client, upstream);
    pass(upstream, client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
