/** How long to wait after that many failures in a row, from 100 ms to 5 s: somewhere in the upper half, so that not all come back at once. */
export const backOffMs = (failures: number): number =>
  Math.min(5000, 100 * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2)
