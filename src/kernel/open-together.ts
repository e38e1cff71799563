/**
 * Opens several things, one after the other, and hands them out as one. `onClose` is told how each is closed: what was
 * opened last is closed first, by `close`, or at once where opening fails half-way.
 */
export async function openTogether<T extends object>(
  open: (onClose: (closer: () => unknown) => void) => Promise<T>,
): Promise<T & { close(): Promise<void> }> {
  const closers: (() => unknown)[] = []
  const close = async () => {
    for (let closer = closers.pop(); closer; closer = closers.pop()) await closer()
  }
  try {
    return { ...(await open((closer) => closers.push(closer))), close }
  } catch (error) {
    await close()
    throw error
  }
}
