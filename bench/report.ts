export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Prints figures with their ratios to the first one. */
export function printRatios(
  title: string,
  unit: string,
  results: readonly (readonly [name: string, value: number])[],
): void {
  const [, first] = results[0] ?? ['', Number.NaN]
  console.log(`\n${title} (${unit})`)
  for (const [name, value] of results) {
    console.log(
      `  ${name.padEnd(44)} ${value.toFixed(value < 100 ? 1 : 0).padStart(9)}   × ${(value / first).toFixed(2)}`,
    )
  }
}
