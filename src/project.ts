/** The folder of the project, which holds `migrations` and `schema`. Right in `src` and in `dist`, where all that is bundled stands flat. */
export const PROJECT = new URL('../', import.meta.url)
