# The gateway alone, for a PostgreSQL that DATABASE_URL names: see docs/operating.md.
FROM node:24-bookworm-slim AS build
WORKDIR /opt/context-gateway
COPY package.json package-lock.json ./
# The project's own script needs its sources, which change more often than what it depends on.
RUN npm ci --ignore-scripts
COPY . .
RUN npm run prepare

FROM node:24-bookworm-slim AS dependencies
WORKDIR /opt/context-gateway
COPY package.json package-lock.json ./
# What is optional is the embedded PostgreSQL.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24-bookworm-slim
WORKDIR /opt/context-gateway
COPY --from=dependencies /opt/context-gateway/node_modules ./node_modules
COPY --from=build /opt/context-gateway/dist ./dist
COPY package.json ./
COPY prisma/migrations ./prisma/migrations
ENV NODE_ENV=production PROFILE=production HOST=0.0.0.0 PORT=4000
# Which can write nowhere here.
USER node
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Not by npm, which does not pass signals on.
CMD ["node", "dist/main.js"]
