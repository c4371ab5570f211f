/**
 * A second and a third machine, as far as a program can tell: network and process namespaces of their own, a virtual
 * cable to this host, and nothing else but the volume. Services of this host are reached through a forwarder.
 */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Host extends AsyncDisposable {
  /** Of this host, as the other sees it. */
  readonly gateway: string;
  /** Command before another that is run there. */
  readonly through: readonly string[];
  /** Makes a port of this host's loopback reachable from there; returns the port to use. */
  forward(port: number): Promise<number>;
}

/** `number` (1 to 250) tells hosts of one test apart. Addresses are of a private range, on a cable of two ends. */
export async function startHost(number: number): Promise<Host> {
  const name = `sluice-${process.pid}-${number}`;
  const [here, there] = [`slh${number}-${process.pid % 10_000}`, `slt${number}-${process.pid % 10_000}`];
  const gateway = `10.213.${number}.1`;
  await ip("netns", "add", name);
  await ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name);
  await ip("address", "add", `${gateway}/30`, "dev", here);
  await ip("link", "set", here, "up");
  await ip("-n", name, "address", "add", `10.213.${number}.2/30`, "dev", there);
  await ip("-n", name, "link", "set", there, "up");
  await ip("-n", name, "link", "set", "lo", "up");
  const closers: (() => Promise<void>)[] = [];
  return {
    gateway,
    through: [
      ["ip", "netns", "exec", name],
      ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"],
    ].flat(),
    async forward(port) {
      const server = createServer((socket) => {
        const target = connect(port, "127.0.0.1");
        // Either end may go at any time: the other goes with it.
        pipeline(socket, target, socket).catch(() => target.destroy());
      });
      server.listen(0, gateway);
      await once(server, "listening");
      closers.push(async () => {
        server.close();
      });
      return (server.address() as AddressInfo).port;
    },
    async [Symbol.asyncDispose]() {
      for (const close of closers) await close();
      // The cable goes with its end there.
      await ip("netns", "delete", name);
    },
  };
}

async function ip(...args: string[]): Promise<void> {
  await run("ip", args);
}
