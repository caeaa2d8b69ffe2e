# Every step also runs by hand, without an engine: test/image.smoke-spec.ts follows this file.

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# @nestjs/swagger, which only writes openapi.json, is an optional peer of @nestjs/terminus.
RUN npm ci --omit=dev --omit=optional

FROM node:24-slim
ENV NODE_ENV=production CACHE_DIR=/var/cache/fpai DATABASE_URL=/var/lib/fpai/orchestrator.db
RUN mkdir -p /var/cache/fpai /var/lib/fpai && chown node:node /var/cache/fpai /var/lib/fpai
WORKDIR /app
COPY package.json openapi.json ./
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
USER node
VOLUME ["/var/lib/fpai", "/var/cache/fpai"]
EXPOSE 8001
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 8001}/orchestrator/health/live`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/main.js"]
