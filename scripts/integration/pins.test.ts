/** Registries as they answer: a token first, tags in pages; and one that cannot be reached. */
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { imageTags, nodeReleases } from "../pins/registries.ts";

async function serve(answer: RequestListener): Promise<AsyncDisposable & { url: string }> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

it("an image's tags are read page by page, with the token that the registry asks for", async () => {
  await using registry = await serve((request, reply) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://registry");
    const own = `http://${request.headers.host}`;
    if (pathname === "/token") {
      reply.end(JSON.stringify({ token: `${searchParams.get("service")} ${searchParams.get("scope")}` }));
    } else if (request.headers.authorization !== "Bearer registry.test repository:valkey/valkey:pull") {
      const challenge = `Bearer realm="${own}/token",service="registry.test",scope="repository:valkey/valkey:pull"`;
      reply.writeHead(401, { "www-authenticate": challenge }).end();
    } else if (searchParams.get("last") === null) {
      reply.setHeader("link", `<${pathname}?n=1000&last=9.0.7>; rel="next"`);
      reply.end(JSON.stringify({ name: "valkey/valkey", tags: ["9.0.7"] }));
    } else {
      reply.end(JSON.stringify({ name: "valkey/valkey", tags: ["9.0.8"] }));
    }
  });
  expect(await imageTags("docker.io/valkey/valkey", registry.url)).toEqual(["9.0.7", "9.0.8"]);
});

it("Node's own list says which releases are security releases", async () => {
  await using site = await serve((_, reply) =>
    reply.end(JSON.stringify([{ version: "v24.22.4", security: true }, { version: "v24.22.3" }])),
  );
  expect(await nodeReleases(site.url)).toEqual([
    { version: "v24.22.4", security: true },
    { version: "v24.22.3", security: false },
  ]);
});

it("a registry that cannot be reached, or refuses, is named", async () => {
  const gone = await serve((_, reply) => reply.end());
  await gone[Symbol.asyncDispose]();
  await expect(imageTags("docker.io/valkey/valkey", gone.url)).rejects.toThrow(/valkey\/tags.*ECONNREFUSED/);
  await using refusing = await serve((_, reply) => reply.writeHead(429).end());
  await expect(nodeReleases(refusing.url)).rejects.toThrow("HTTP 429");
});
