import { Command } from 'commander'
import { Failure, formatRows, formatSeconds, print } from '../command.ts'
import { type EngineWithRedis, withEngineAndRedis } from '../with-engine.ts'
import { readEntry } from './stored-entries.ts'

export const getCommand = new Command('get')
  .description('print what Redis holds under a key, and how it is judged')
  .argument('<kind>', 'such as "article"')
  .argument('<key>', 'such as 42, or a whole key as other commands print it')
  .option('--json', 'print as JSON')
  .action(async (kindName: string, rawKey: string, { json }: { readonly json?: boolean }) => {
    const found = await withEngineAndRedis((engine) => look(engine, kindName, rawKey))
    print(found, { json, text: describe(found) })
    if (!found.found || !found.readable) throw new Failure()
  })

type Found = Awaited<ReturnType<typeof look>>

async function look(engine: EngineWithRedis, kindName: string, rawKey: string) {
  const { redis, ledger } = engine
  const { kind, key, stored } = await readEntry(engine, kindName, rawKey)
  if (!stored) return { key, found: false } as const
  const { bytes, entry } = stored
  if (!entry) return { key, found: true, bytes, readable: false } as const
  const { standing, why } = kind.explain(entry)
  return {
    key,
    found: true,
    bytes,
    readable: true,
    standing,
    ...(standing === 'fallen' && { why }),
    exists: entry.value !== undefined,
    value: toJson(entry.value),
    tags: entry.tags,
    epoch: entry.epoch,
    asOf: entry.asOf,
    storedAt: new Date(entry.storedAtMs).toISOString(),
    staleAt: new Date(entry.staleAtMs).toISOString(),
    ageMs: Date.now() - entry.storedAtMs,
    position: ledger.seen,
    expiresInMs: Number((await redis.each([key], (client) => client.pttl(key)))[0]),
  } as const
}

/** Turns into JSON what is not: values may hold big integers and dates. */
function toJson(value: unknown): unknown {
  const text = JSON.stringify(value, (_name, part) => (typeof part === 'bigint' ? String(part) : part))
  return text === undefined ? null : JSON.parse(text)
}

function describe(found: Found): string {
  if (!found.found) return `Redis holds nothing under ${found.key}`
  if (!found.readable) return `What Redis holds under ${found.key} is no entry that this version can read.`
  return formatRows(found.key, [
    ['judged', found.why ? `${found.standing}: ${found.why}` : found.standing],
    ['as of', `${found.asOf} (${found.epoch}); the log is at ${found.position}`],
    ['stored', `${found.storedAt}, ${formatSeconds(found.ageMs)} ago`],
    ['stale', found.staleAt],
    ['in Redis', `for another ${formatSeconds(found.expiresInMs)}, ${found.bytes} bytes`],
    ['tags', found.tags.join('  ')],
    ['value', found.exists ? JSON.stringify(found.value, undefined, 2) : 'known not to exist'],
  ])
}
