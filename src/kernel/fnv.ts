/** A hash of `text`, a signed number of 32 bits: FNV-1a (Fowler, Noll, Vo). Anybody can find texts that share one: never trust it for more than speed. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5 | 0
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash
}
