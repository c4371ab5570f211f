# The dashboard: built once, run as Next's standalone server.
FROM node:24.11.0-bookworm-slim AS build
WORKDIR /sluice
RUN npm install --global pnpm@12.21.0
COPY pnpm-workspace.yaml pnpm-lock.yaml package.json ./
COPY packages packages
COPY apps/web apps/web
RUN pnpm install --frozen-lockfile --filter "@sluice/web..." && pnpm --filter @sluice/web run build

FROM node:24.11.0-bookworm-slim
WORKDIR /sluice
ENV NODE_ENV=production SLUICE_WEB_HOST=0.0.0.0 SLUICE_WEB_PORT=3000
COPY --from=build /sluice/apps/web/.next/standalone ./
COPY --from=build /sluice/apps/web/.next/static apps/web/.next/static
COPY --from=build /sluice/apps/web/start.mjs apps/web/start.mjs
RUN mkdir /var/lib/sluice && chown node:node /var/lib/sluice
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["node", "-e", "fetch('http://127.0.0.1:3000/api/health').then((r)=>process.exit(r.ok?0:1),()=>process.exit(1))"]
ENTRYPOINT ["node", "apps/web/start.mjs"]
