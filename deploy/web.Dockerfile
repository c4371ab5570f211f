# The dashboard: built once, run as Next's standalone server by apps/web/start.mjs, which reads our settings.
FROM docker.io/library/node:24.22.3-bookworm-slim AS picked
WORKDIR /sluice
COPY deploy/pick-packages.mjs deploy/
COPY packages packages
COPY apps apps
RUN node deploy/pick-packages.mjs @sluice/web /picked/web \
  && node deploy/pick-packages.mjs @sluice/config /picked/start && node deploy/pick-packages.mjs @sluice/control /picked/start

FROM docker.io/library/node:24.22.3-bookworm-slim AS workspace
# pnpm, compared with the integrity that the bootstrap pins.
WORKDIR /toolchain
COPY scripts/bootstrap scripts/bootstrap
COPY deploy/bring-pnpm.mjs deploy/
RUN node deploy/bring-pnpm.mjs /toolchain /usr/local/bin/pnpm
WORKDIR /sluice
COPY pnpm-workspace.yaml pnpm-lock.yaml package.json .npmrc tsconfig.base.json ./

# Dependencies before sources: a change of the code installs nothing again.
FROM workspace AS build
COPY --from=picked /picked/web/manifests ./
RUN pnpm install --frozen-lockfile --ignore-scripts --filter "@sluice/web..."
COPY --from=picked /picked/web/sources ./
RUN NEXT_TELEMETRY_DISABLED=1 pnpm --filter @sluice/web run build \
  && cp -r apps/web/.next/static apps/web/.next/standalone/apps/web/.next/static

# What start.mjs itself imports, before Next's server takes over.
FROM workspace AS start
COPY --from=picked /picked/start/manifests ./
RUN pnpm install --prod --frozen-lockfile --ignore-scripts --filter "@sluice/config..." --filter "@sluice/control..." \
  && mkdir -p node_modules/@sluice && ln -s ../../packages/config ../../packages/control node_modules/@sluice/

FROM docker.io/library/node:24.22.3-bookworm-slim
WORKDIR /sluice
ENV NODE_ENV=production SLUICE_WEB_HOST=0.0.0.0 SLUICE_WEB_PORT=3000
COPY --from=start /sluice/node_modules node_modules
COPY --from=start /sluice/packages packages
COPY --from=picked /picked/start/sources ./
COPY --from=build /sluice/apps/web/.next/standalone apps/web/.next/standalone
COPY apps/web/package.json apps/web/start.mjs apps/web/
COPY deploy/web-entry.mjs deploy/compile-web.mjs deploy/health.mjs deploy/
# The password that is made on first start lives here; nothing else is written.
RUN mkdir /var/lib/sluice .compile-cache && chown node:node /var/lib/sluice .compile-cache
ENV NODE_COMPILE_CACHE=/sluice/.compile-cache
USER 1000:1000
# The server is compiled here, once: Node takes a cache only from its own user, so that another user's start compiles.
RUN node deploy/compile-web.mjs && [ -n "$(ls .compile-cache)" ]
VOLUME /var/lib/sluice
EXPOSE 3000
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s CMD ["node", "/sluice/deploy/health.mjs", "web"]
ENTRYPOINT ["node", "/sluice/deploy/web-entry.mjs"]
