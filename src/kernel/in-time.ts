/** True once `work` is done, false if it isn't within `withinMs`. Rejects as it does. */
export async function inTime(work: Promise<unknown>, withinMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), withinMs)
  })
  return await Promise.race([work.then(() => true), timeout]).finally(() => clearTimeout(timer))
}
