export interface Warmed {
  /** How many queries were answered, or entries are there now. */
  readonly warmed: number
  /** Entries whose keys say too little to load them by. */
  readonly skipped: number
  readonly failed: readonly { readonly what: string; readonly message: string }[]
}
