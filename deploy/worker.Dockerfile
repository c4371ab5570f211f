# The worker and the command line. TypeScript is run as it is: the workspace is copied, with production dependencies only.
FROM docker.io/library/node:24.22.3-bookworm-slim AS picked
WORKDIR /sluice
COPY deploy/pick-packages.mjs deploy/
COPY packages packages
COPY apps apps
RUN node deploy/pick-packages.mjs @sluice/worker /picked

# Dependencies before sources: a change of the code installs nothing again.
FROM docker.io/library/node:24.22.3-bookworm-slim AS dependencies
# pnpm, compared with the integrity that the bootstrap pins.
WORKDIR /toolchain
COPY scripts/bootstrap scripts/bootstrap
COPY deploy/bring-pnpm.mjs deploy/
RUN node deploy/bring-pnpm.mjs /toolchain /usr/local/bin/pnpm
WORKDIR /sluice
COPY pnpm-workspace.yaml pnpm-lock.yaml package.json .npmrc ./
COPY --from=picked /picked/manifests ./
RUN pnpm install --prod --frozen-lockfile --ignore-scripts --filter "@sluice/worker..."

# Sample recordings for `docker compose --profile demo up`.
FROM docker.io/library/node:24.22.3-bookworm-slim AS demo
WORKDIR /sluice
COPY package.json ./
COPY scripts/demo.ts scripts/
COPY scripts/demo scripts/demo
USER 1000:1000
ENTRYPOINT ["node", "/sluice/scripts/demo.ts", "--dir", "/inbox"]

FROM docker.io/library/node:24.22.3-bookworm-slim AS worker
WORKDIR /sluice
ENV NODE_ENV=production SLUICE_HTTP_HOST=0.0.0.0 SLUICE_LOG_FORMAT=json
COPY --from=dependencies /sluice ./
COPY --from=picked /picked/sources ./
COPY deploy/health.mjs deploy/
RUN chmod +x apps/worker/src/main.mjs && ln -s /sluice/apps/worker/src/main.mjs /usr/local/bin/sluice \
  && mkdir -p node_modules/.cache/sluice && chown node:node node_modules/.cache/sluice
USER 1000:1000
# The sources are compiled here, once: every start and every command of this user loads them from the cache; Node takes
# a cache only from its own user, so that another user's start compiles. A worker without settings is refused with 78
# after it has loaded everything.
RUN sluice --version && { sluice worker 2>/dev/null; [ $? -eq 78 ]; }
EXPOSE 9464
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s CMD ["node", "/sluice/deploy/health.mjs", "worker"]
# Node is PID 1: the worker handles SIGTERM and SIGINT itself and starts no children.
# The young heap of two times 16 MiB instead of 64: a third less memory with 2,000 growing files.
ENTRYPOINT ["node", "--max-semi-space-size=16", "/sluice/apps/worker/src/main.mjs"]
CMD ["worker"]
