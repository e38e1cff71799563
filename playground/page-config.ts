/** What the server tells the page about itself: see `src/http/playground.ts`. */
export interface PageConfig {
  readonly name: string
  readonly version: string
  /** Demo mode only: signs the page in as an admin. */
  readonly demoToken?: string
}

export async function fetchPageConfig(): Promise<PageConfig> {
  const response = await fetch(`${import.meta.env.BASE_URL}config.json`)
  if (!response.ok) throw new Error(`The server answered ${response.status} to its own config.json`)
  return response.json()
}
