export { type BreakerState, isRefusal, refusal } from './breaker.ts'
export { GuardedRedis, type GuardedRedisOptions, type RedisNode } from './guarded-redis.ts'
export { hearChannel } from './hear-channel.ts'
export { type Address, openRedis, type RedisClients } from './open-redis.ts'
