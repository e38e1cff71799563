import { createHash } from 'node:crypto'
import { sql, type Transaction } from 'kysely'
import type { Tables } from '../database/index.ts'
import { slugify } from '../domain/slugify.ts'
import { type AuthorName, usernameOf } from './content-record.ts'

export interface FoundAuthor {
  /** Whose username no other person has, as far as is known. */
  readonly author: AuthorName
  /** What the reader of a report should know of it. */
  readonly note?: string
}

/**
 * Finds out who the authors are that articles name. José and Jose are two people, although both names give the username `jose`: the second gets
 * `jose-1a2b3c4d`, made from the name, which is the same in every import. They are one person if they have one e-mail address, or if their username is given.
 *
 * A user whose display name gives another username was given this one by someone, or was renamed since: a name that gives the username means that user.
 *
 * @param authors in the order in which they get usernames
 */
export async function findAuthors(
  transaction: Transaction<Tables>,
  authors: readonly AuthorName[],
): Promise<ReadonlyMap<AuthorName, FoundAuthor>> {
  const people = new People(await findUsers(transaction, authors))
  return new Map(authors.map((author) => [author, people.find(author)]))
}

interface Person {
  readonly username: string
  readonly displayName: string
  readonly email?: string | undefined
}

class People {
  readonly #byUsername = new Map<string, Person>()
  readonly #byEmail = new Map<string, Person>()

  constructor(known: readonly Person[]) {
    for (const person of known) this.#add(person)
  }

  find(author: AuthorName): FoundAuthor {
    if (!author.isNameOnly) return this.#take(author)
    const { username, displayName, email } = author
    const sameEmail = email === undefined ? undefined : this.#byEmail.get(email.toLowerCase())
    if (
      sameEmail &&
      usernameOf(sameEmail.displayName) === username &&
      !isSameName(sameEmail.displayName, displayName)
    ) {
      const note = `its author ${displayName} is taken for ${sameEmail.displayName}, who has the same e-mail address`
      return { author: { ...author, username: sameEmail.username }, note }
    }
    const holder = this.#byUsername.get(username)
    if (!holder || isSameName(holder.displayName, displayName) || usernameOf(holder.displayName) !== username) {
      return this.#take(author)
    }
    const own = ownUsername(displayName)
    const note = `its author ${displayName} has the username "${own}": "${username}" is ${holder.displayName}`
    return { ...this.#take({ ...author, username: own }), note }
  }

  #take(author: AuthorName): FoundAuthor {
    const holder = this.#byUsername.get(author.username)
    if (!holder) this.#add(author)
    const note = holder && differenceOf(author, holder)
    return { author, ...(note !== undefined && { note }) }
  }

  #add(person: Person): void {
    this.#byUsername.set(person.username, person)
    if (person.email !== undefined) this.#byEmail.set(person.email.toLowerCase(), person)
  }
}

/** What a user keeps, although a file says otherwise, in words. */
function differenceOf({ username, displayName, email }: AuthorName, holder: Person): string | undefined {
  const hasOtherName = displayName !== username && !isSameName(displayName, holder.displayName)
  const hasOtherEmail = email !== undefined && email.toLowerCase() !== holder.email?.toLowerCase()
  if (!hasOtherName && !hasOtherEmail) return undefined
  const kept = [...(hasOtherName ? ['name'] : []), ...(hasOtherEmail ? ['e-mail address'] : [])].join(' and ')
  return `its author ${displayName} is the user "${username}", whose ${kept} stays as it was`
}

/** Those who have a username or an address that one of the authors may mean. */
async function findUsers(transaction: Transaction<Tables>, authors: readonly AuthorName[]): Promise<Person[]> {
  if (authors.length === 0) return []
  const named = authors.filter(({ isNameOnly }) => isNameOnly)
  const usernames = [...authors.map(({ username }) => username), ...named.map((it) => ownUsername(it.displayName))]
  const emails = named.flatMap(({ email }) => (email === undefined ? [] : [email.toLowerCase()]))
  const { rows } = await sql<Person>`
    select username, display_name as "displayName", email from users
     where username = any (${usernames}::text[]) or lower(email) = any (${emails}::text[])
  `.execute(transaction)
  return rows
}

const isSameName = (one: string, other: string): boolean => canonicalName(one) === canonicalName(other)

/** Letters, accents and marks count; case and the width of spaces don't. */
const canonicalName = (name: string): string => name.normalize('NFC').replace(/\s+/g, ' ').trim().toLowerCase()

/** A username that no other name gives. */
function ownUsername(name: string): string {
  return `${slugify(name, 30)}-${createHash('sha256').update(canonicalName(name)).digest('hex').slice(0, 8)}`
}
