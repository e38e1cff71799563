/** Takes the function that closes what was just opened. */
export type OnClose = (closer: () => unknown) => void

/**
 * Opens several things, one after the other, and returns them as one. `open` hands `onClose` a function for each thing that it
 * opens. These run in reverse order: when the caller calls `close`, or at once if `open` fails half-way.
 */
export async function openTogether<T extends object>(
  open: (onClose: OnClose) => Promise<T>,
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
