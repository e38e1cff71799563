/** The header `Cache-Status` (RFC 9211) in words: `the whole answer, from memory, good for 57 s`. Undefined without one. */
export function describeCacheStatus(header: string | undefined): string | undefined {
  const [server, ...parameters] = (header ?? '').split(';').map((part) => part.trim())
  if (!server) return undefined
  const given = new Map(parameters.map((parameter) => parameter.split('=', 2) as [string, string | undefined]))
  const detail = given.get('detail')
  if (given.has('hit')) {
    if (detail === 'entries') return 'made of cached entries'
    const ttl = Number(given.get('ttl'))
    const until = ttl > 0 ? `good for ${ttl} s` : 'past its time to live'
    return ['the whole answer', ...(detail ? [`from ${detail}`] : []), until].join(', ')
  }
  return [given.get('fwd') === 'bypass' ? 'read through' : 'made now', ...(given.has('stored') ? ['kept'] : [])].join(
    ', ',
  )
}
