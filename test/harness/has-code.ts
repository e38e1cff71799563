/** Errors of Node's own don't count as `instanceof Error` within jest: it runs tests in a realm of their own. */
export function hasCode(error: unknown, code: string): boolean {
  return (error as { readonly code?: unknown } | undefined)?.code === code
}
