FROM node:22-slim AS manifest
WORKDIR /app
COPY package.json package-lock.json ./

FROM manifest AS dependencies
RUN npm ci --omit=dev

FROM manifest AS build
RUN npm ci
COPY . .
RUN npm run build

FROM node:22-slim
WORKDIR /app
# A container's loopback can't be reached from outside. Beyond loopback stet needs AUTH_JWT_SECRET or AUTH_JWKS_URL, and says so.
ENV NODE_ENV=production HOST=0.0.0.0
COPY --from=dependencies /app ./
COPY --from=build /app/dist ./dist
COPY migrations ./migrations
COPY sql ./sql
COPY schema ./schema
COPY content ./content
RUN ln -s /app/dist/stet.js /usr/local/bin/stet && chmod +x dist/stet.js && mkdir .data && chown node .data
# By number, so that Kubernetes can tell that it is not root (`runAsNonRoot`).
USER 1000:1000
EXPOSE 4000
HEALTHCHECK --interval=5s CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 4000) + '/readyz').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["stet"]
CMD ["serve"]
