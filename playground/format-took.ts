/** `3.2 ms`, `240 ms`, `1.75 s`. */
export function formatTook(tookMs: number): string {
  if (tookMs >= 1_000) return `${(tookMs / 1_000).toFixed(2)} s`
  return tookMs >= 100 ? `${tookMs.toFixed(0)} ms` : `${tookMs.toFixed(1)} ms`
}
