/** Real servers for tests: shared ones by default, one's own for a test that breaks things. */
export { beginTestRun, endTestRun } from './begin-test-run.ts'
export { createCertificate } from './create-certificate.ts'
export { createCopyOf, createMigratedDatabase } from './create-copy.ts'
export { createRedisPrefix } from './create-redis-prefix.ts'
export { createTestDatabase, type TestDatabase } from './create-test-database.ts'
export { currentToken } from './current-token.ts'
export { emptyContent } from './empty-content.ts'
export { eventually } from './eventually.ts'
export { exchange, type RawReply, type RawRequest } from './exchange.ts'
export { type Answer, type AnswerError, GraphQLClient } from './graphql-client.ts'
export { launchChromium } from './launch-chromium.ts'
export { LOST_PASTS, type LostPast } from './lost-pasts.ts'
export type { PostgresServer, Standby } from './postgres-server.ts'
export { queryOnce } from './query-once.ts'
export { readMetric, readMetrics, TEST_METRICS_TOKEN } from './read-metric.ts'
export type { RedisServer } from './redis-server.ts'
export { replicaIs } from './replica-is.ts'
export { reservePort } from './reserve-port.ts'
export { type FaultProxy, startFaultProxy } from './start-fault-proxy.ts'
export { HTTP_CACHES, type HttpCacheName, isInstalled, startHttpCache } from './start-http-cache.ts'
export { startPostgres } from './start-postgres.ts'
export { type StartRedisOptions, startRedis } from './start-redis.ts'
export {
  canStartRedisCluster,
  type RedisCluster,
  type RedisClusterNode,
  startRedisCluster,
} from './start-redis-cluster.ts'
export { type RedisSentinel, startRedisSentinel } from './start-redis-sentinel.ts'
export { startTestNode, TEST_JWT_SECRET, type TestNode, type TestNodeOptions, testToken } from './start-test-node.ts'
export { StatementTexts } from './statement-texts.ts'
export { getTestRun, sharedServers } from './test-run.ts'
