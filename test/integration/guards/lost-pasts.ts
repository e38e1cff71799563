import { DatabaseDump, queryOnce, startPostgres } from '../../harness/index.ts'
import { type ArticleWorld, createArticleWorld } from '../races/article-world.ts'

/** A database that loses what is written after a mark, while no node lives. */
export interface LostPast {
  readonly world: ArticleWorld
  /** From when this resolves, what is written will be lost. Resolves with where it is written. */
  mark(): Promise<string>
  /** Resolves with where the database is now, without what was written after the mark. */
  lose(): Promise<string>
  stop(): Promise<void>
}

/** The ways in which that happens, by name. */
export const LOST_PASTS: Readonly<Record<string, () => Promise<LostPast>>> = {
  'a dump is restored in place': async () => {
    const server = await startPostgres()
    const world = await createArticleWorld(server.createDatabase)
    const { url } = world.database
    const dump = new DatabaseDump()
    return {
      world,
      mark: async () => {
        await dump.take(url)
        return url
      },
      lose: async () => {
        await dump.restore(url)
        return url
      },
      stop: () => end(world, [server], dump),
    }
  },

  'a dump is restored into a fresh cluster of the same layout': async () => {
    const [server, fresh] = await Promise.all([startPostgres(), startPostgres()])
    const world = await createArticleWorld(server.createDatabase)
    const { url, name } = world.database
    const dump = new DatabaseDump()
    return {
      world,
      mark: async () => {
        await dump.take(url)
        return url
      },
      lose: async () => {
        await queryOnce(fresh.url, `create database ${name}`)
        const restored = new URL(fresh.url)
        restored.pathname = name
        await dump.restore(restored.href)
        return restored.href
      },
      stop: () => end(world, [server, fresh], dump),
    }
  },

  'another standby is promoted from the same point': async () => {
    const server = await startPostgres()
    const heirs = [await server.startStandby(), await server.startStandby()] as const
    const world = await createArticleWorld(server.createDatabase)
    const [first, second] = heirs
    return {
      world,
      mark: async () => {
        for (const heir of heirs) await heir.caughtUp()
        for (const heir of heirs) await heir.leave()
        await server.kill()
        await first.promote()
        return first.urlOf(world.database)
      },
      lose: async () => {
        await first.stop()
        await second.promote()
        return second.urlOf(world.database)
      },
      stop: () => end(world, [server, ...heirs]),
    }
  },

  'the server crashes under synchronous_commit=off': crash,
}

/** Everything is called as before: the cluster, its timeline, the database, the tables. */
export async function crash(): Promise<LostPast> {
  const server = await startPostgres({ settings: { synchronous_commit: 'off', autovacuum: 'off' } })
  const world = await createArticleWorld(server.createDatabase)
  const { url } = world.database
  return {
    world,
    mark: async () => {
      await queryOnce(url, 'checkpoint')
      // It would write most of what follows before the server crashes. What it never wrote is lost.
      const [row] = await queryOnce(url, `select pid from pg_stat_activity where backend_type = 'walwriter'`)
      process.kill(Number(row?.pid), 'SIGSTOP')
      return url
    },
    lose: async () => {
      await server.kill()
      await server.restart()
      return url
    },
    stop: () => end(world, [server]),
  }
}

async function end(
  world: ArticleWorld,
  servers: readonly { stop(): Promise<void> }[],
  dump?: DatabaseDump,
): Promise<void> {
  dump?.remove()
  await world.end().catch(() => {}) // its database may be on a server that is gone
  for (const server of servers) await server.stop()
}
