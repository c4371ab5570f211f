# The worker and the command line. TypeScript is run as it is: the workspace is copied, with production dependencies only.
FROM docker.io/library/node:24.22.3-bookworm-slim AS dependencies
WORKDIR /sluice
RUN npm install --global pnpm@12.21.0
COPY pnpm-workspace.yaml pnpm-lock.yaml package.json .npmrc ./
COPY packages/core/package.json packages/core/
COPY packages/config/package.json packages/config/
COPY packages/control/package.json packages/control/
COPY packages/redis-schema/package.json packages/redis-schema/
COPY packages/s3-store/package.json packages/s3-store/
COPY apps/worker/package.json apps/worker/
RUN pnpm install --prod --frozen-lockfile --ignore-scripts --filter "@sluice/worker..."

# Sample recordings for `docker compose --profile demo up`.
FROM docker.io/library/node:24.22.3-bookworm-slim AS demo
WORKDIR /sluice
COPY package.json ./
COPY scripts/demo.ts scripts/
COPY scripts/demo scripts/demo
ENTRYPOINT ["node", "/sluice/scripts/demo.ts", "--dir", "/inbox"]

FROM docker.io/library/node:24.22.3-bookworm-slim AS worker
WORKDIR /sluice
ENV NODE_ENV=production SLUICE_HTTP_HOST=0.0.0.0 SLUICE_LOG_FORMAT=json
COPY --from=dependencies /sluice ./
COPY packages/core/src packages/core/src
COPY packages/config/src packages/config/src
COPY packages/control/src packages/control/src
COPY packages/redis-schema/src packages/redis-schema/src
COPY packages/s3-store/src packages/s3-store/src
COPY apps/worker/src apps/worker/src
# Nothing is written inside the image: the root file system may be read-only.
USER node
EXPOSE 9464
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["node", "/sluice/apps/worker/src/main.mjs", "healthcheck"]
# Node is PID 1: the worker handles SIGTERM and SIGINT itself and starts no children.
ENTRYPOINT ["node", "/sluice/apps/worker/src/main.mjs"]
CMD ["worker"]
