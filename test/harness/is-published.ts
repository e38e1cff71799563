/**
 * True where `bytes` are messages of Redis pub/sub, whole ones, and nothing else: RESP2 writes one as an array of
 * bulk strings (`*3`), RESP3 as a push (`>3`).
 */
export function isPublished(bytes: Buffer): boolean {
  const text = bytes.toString('latin1')
  let at = 0
  while (at < text.length) {
    const end = endOfMessage(text, at)
    if (end === undefined) return false
    at = end
  }
  return at > 0
}

function endOfMessage(text: string, from: number): number | undefined {
  const [opening] = /^[*>]3\r\n\$\d\r\ns?message\r\n/.exec(text.slice(from, from + 30)) ?? []
  if (opening === undefined) return undefined
  let at = from + opening.length
  for (const _part of ['channel', 'payload']) {
    const [header, length] = /^\$(\d+)\r\n/.exec(text.slice(at, at + 20)) ?? []
    if (header === undefined) return undefined
    at += header.length + Number(length) + 2
  }
  return at <= text.length ? at : undefined
}
