/** The page's configuration, which `src/http/playground.ts` serves. */
export interface PageConfig {
  readonly name: string
  readonly version: string
  /** Signs the page in as an admin. Only in demo mode. */
  readonly demoToken?: string
}

export async function fetchPageConfig(): Promise<PageConfig> {
  const response = await fetch(`${import.meta.env.BASE_URL}config.json`)
  if (!response.ok) throw new Error(`The server answered ${response.status} to its own config.json`)
  return response.json()
}
