import type { ContentRecord, Place } from './content-record.ts'

/** One record as it was read, why it could not be read, or why its file is not read. */
export type Reading = { readonly at: Place } & (
  | {
      readonly record: ContentRecord
      readonly bytes: number
      /** Why it is a draft, in words. Empty if it is public, or no article. */
      readonly heldBack: readonly string[]
      /** What comes in otherwise than it is written, in words. */
      readonly notes: readonly string[]
      /** The names of the fields that Stet has no place for. */
      readonly unreadFields: readonly string[]
    }
  | { readonly problem: string }
  | { readonly unread: string }
)
