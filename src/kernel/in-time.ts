/** Resolves and rejects as `work` does. If that takes longer than `withinMs`, resolves with what `otherwise` returns, or rejects with what it throws. */
export async function inTime<T>(work: Promise<T>, withinMs: number, otherwise: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, withinMs)
  })
  return await Promise.race([work, late.then(otherwise)]).finally(() => clearTimeout(timer))
}
