# The worker and the command line. TypeScript is run as it is: the workspace is copied, production dependencies only.
FROM node:24.11.0-bookworm-slim AS dependencies
WORKDIR /sluice
RUN npm install --global pnpm@12.21.0
COPY pnpm-workspace.yaml pnpm-lock.yaml package.json ./
COPY packages/core/package.json packages/core/
COPY packages/config/package.json packages/config/
COPY packages/redis-schema/package.json packages/redis-schema/
COPY apps/worker/package.json apps/worker/
RUN pnpm install --prod --frozen-lockfile --filter "@sluice/worker..."

FROM node:24.11.0-bookworm-slim
WORKDIR /sluice
ENV NODE_ENV=production SLUICE_HTTP_HOST=0.0.0.0 SLUICE_LOG_FORMAT=json
COPY --from=dependencies /sluice ./
COPY packages/core packages/core
COPY packages/config packages/config
COPY packages/redis-schema packages/redis-schema
COPY apps/worker apps/worker
# Nothing is written inside the image: the root file system may be read-only.
USER node
EXPOSE 9464
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["node", "apps/worker/src/main.ts", "healthcheck"]
# Node is PID 1: the worker handles SIGTERM and SIGINT itself and starts no children.
ENTRYPOINT ["node", "apps/worker/src/main.ts"]
CMD ["worker"]
