FROM node:22-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:22-slim
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY migrations ./migrations
COPY schema ./schema
COPY content ./content
RUN ln -s /app/dist/cli/stet.js /usr/local/bin/stet && chmod +x dist/cli/stet.js && mkdir .data && chown node .data
USER node
EXPOSE 4000
HEALTHCHECK --interval=5s CMD ["node", "-e", "fetch('http://127.0.0.1:4000/readyz').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["stet"]
CMD ["serve"]
