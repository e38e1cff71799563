/** What `work` brings; where it takes longer than `withinMs`, what `otherwise` returns or throws. Rejects as `work` does. */
export async function inTime<T>(work: Promise<T>, withinMs: number, otherwise: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, withinMs)
  })
  return await Promise.race([work, late.then(otherwise)]).finally(() => clearTimeout(timer))
}
